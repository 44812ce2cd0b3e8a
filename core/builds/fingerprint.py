"""The fingerprint of a build: a hash over everything that decides what comes out of it."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import msgspec

from core.builds.recipe import recipe_digest, recipe_for
from core.errors import NotFoundError
from core.guests.insecure import PUBLIC_KEYS
from core.model.project import Bootstrap, BuildSpec, Project, Provision, Source

VERSION = 1
"""Counted up when boxes of the same template come out otherwise than before."""

_BLOCK = 1 << 20


def fingerprint(project: Project, name: str) -> str:
    """64 hexadecimal digits. The same project folder gives the same ones on every machine of one
    architecture; any change to the source, a provisioner, a file that one of them names, or to the
    way in which boxes are made gives others. A file that is not there counts as such: running
    the build is what says so. Raises NotFoundError for a build that is not there.
    """
    spec = build_spec(project, name)
    digest = hashlib.sha256()
    if spec.source is None:
        return template_fingerprint(Path(project.root) / spec.template)
    _add(digest, "source", source_fingerprint(spec.source))
    _add(digest, "formats", *spec.formats)
    for provision in spec.provision:
        _add(digest, "provision", msgspec.json.encode(provision, order="deterministic").decode())
        _add_files(digest, Path(project.root), provision)
    return digest.hexdigest()


def source_fingerprint(source: Source) -> str:
    """The part of a fingerprint that the source alone decides."""
    assert source.bootstrap is not None
    return bootstrap_fingerprint(source.bootstrap)


def bootstrap_fingerprint(source: Bootstrap) -> str:
    """What decides the image that a bootstrap makes."""
    digest = hashlib.sha256()
    _add(digest, "version", str(VERSION), platform.machine(), *PUBLIC_KEYS)
    _add(digest, "spec", msgspec.json.encode(source, order="deterministic").decode())
    _add(digest, "recipe", recipe_digest(recipe_for(source)))
    return digest.hexdigest()


def template_fingerprint(path: Path) -> str:
    """Over a template's own files. What its steps take from elsewhere is looked at when it is built."""
    digest = hashlib.sha256()
    files = sorted(path.glob("*.hcl")) + sorted(path.glob("*.json")) if path.is_dir() else [path]
    for file in files:
        _add_file(digest, file, file.name)
    return digest.hexdigest()


def build_spec(project: Project, name: str) -> BuildSpec:
    """The build of that name. Raises NotFoundError."""
    spec = project.builds.get(name)
    if spec is None:
        known = ", ".join(project.builds) or "none"
        raise NotFoundError(f"The project {project.name} has no build {name!r}.", why=f"It has: {known}.")
    return spec


def _add(digest: hashlib._Hash, *texts: str) -> None:
    """Texts with their lengths, so that no two sequences of texts hash alike."""
    for text in texts:
        data = text.encode()
        digest.update(f"{len(data)}:".encode() + data)


def _add_files(digest: hashlib._Hash, root: Path, provision: Provision) -> None:
    named = provision.script if provision.script is not None else provision.file
    if named is None:
        return
    top = root / Path(named).expanduser()
    files = sorted(top.rglob("*")) if top.is_dir() else [top]
    for path in files:
        _add_file(digest, path, "" if path == top else str(path.relative_to(top)))


def _add_file(digest: hashlib._Hash, path: Path, name: str) -> None:
    if path.is_symlink() and name:
        _add(digest, "link", name, str(path.readlink()))
    elif path.is_dir():
        _add(digest, "folder", name)
    elif path.is_file():
        content = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                content.update(block)
        executable = "x" if path.stat().st_mode & 0o111 else "-"
        _add(digest, "file", name, executable, content.hexdigest())
    else:
        _add(digest, "missing", name)

"""The fingerprint of a build: a hash over everything that decides what comes out of it."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.builds.recipe import recipe_digest, recipe_for
from core.errors import NotFoundError
from core.guests.insecure import PUBLIC_KEYS
from core.model.project import Bootstrap, BuildSpec, Project, Provision, Source

VERSION = 1
"""Counted up when boxes of the same template come out otherwise than before."""

_BLOCK = 1 << 20
_LONGEST_PATH = 255
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)+)"')
_WRITTEN = re.compile(r'\b(?:output\w*|target|destination)"?\s*[=:]\s*"((?:[^"\\\n]|\\.)+)"')
"""What a template writes: it decides nothing."""
_HERE = re.compile(r"^(?:\$\{path\.(?:root|cwd)\}|\{\{\s*(?:template_dir|pwd)\s*\}\})/")
"""How templates write the folder that they lie in, and the one they are built in."""


def fingerprint(project: Project, name: str) -> str:
    """64 hexadecimal digits. The same project folder gives the same ones on every machine of one
    architecture; any change to the source, a provisioner, a file that one of them names, or to the
    way in which boxes are made gives others. A file that is not there counts as such: running
    the build is what says so. Raises NotFoundError for a build that is not there.
    """
    spec = build_spec(project, name)
    digest = hashlib.sha256()
    if spec.source is None:
        return template_fingerprint(Path(project.root) / spec.template, Path(project.root))
    _add(digest, "source", source_fingerprint(spec.source))
    _add(digest, "formats", *spec.formats)
    for provision in spec.provision:
        _add(digest, "provision", msgspec.json.encode(provision, order="deterministic").decode())
        _add_files(digest, Path(project.root), provision)
    return digest.hexdigest()


def source_fingerprint(source: Source) -> str:
    """The part of a fingerprint that the source alone decides."""
    if source.docker is None and source.lxd is None:
        assert source.bootstrap is not None
        return bootstrap_fingerprint(source.bootstrap)
    digest = hashlib.sha256()
    _add(digest, "bootstrap", bootstrap_fingerprint(source.bootstrap) if source.bootstrap else "")
    for kind, table in (("docker", source.docker), ("lxd", source.lxd)):
        if table is not None:
            _add(digest, kind, msgspec.json.encode(table, order="deterministic").decode())
    return digest.hexdigest()


def bootstrap_fingerprint(source: Bootstrap) -> str:
    """What decides the image that a bootstrap makes."""
    digest = hashlib.sha256()
    _add(digest, "version", str(VERSION), platform.machine(), *PUBLIC_KEYS)
    _add(digest, "spec", msgspec.json.encode(source, order="deterministic").decode())
    _add(digest, "recipe", recipe_digest(recipe_for(source)))
    return digest.hexdigest()


def template_fingerprint(path: Path, root: Path) -> str:
    """Over a template's own files, and the files and folders that texts in it name: scripts, uploads,
    playbooks. Paths count from ``root``, the project's folder, or from the template's own.

    The template is not worked out for it, as this is asked for often: a path that is put together from
    variables is not seen.
    """
    digest = hashlib.sha256()
    files = sorted(path.glob("*.hcl")) + sorted(path.glob("*.json")) if path.is_dir() else [path]
    own = path if path.is_dir() else path.parent
    named: set[Path] = set()
    written: set[Path] = set()
    for file in files:
        _add_file(digest, file, file.name)
        named |= _named_in(file, _QUOTED, (root, own))
        written |= _named_in(file, _WRITTEN, (root, own))
    for top in sorted(named - set(files)):
        for each in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if not written & {each, *each.parents}:
                _add_file(digest, each, os.path.relpath(each, root))
    return digest.hexdigest()


def _named_in(file: Path, names: re.Pattern[str], folders: Sequence[Path]) -> set[Path]:
    """What is there under a name that stands between quotes, below one of the folders."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    found = set()
    for word in set(names.findall(text)):
        plain = _HERE.sub("", word)
        if not plain.strip("./") or "\0" in plain or len(plain) > _LONGEST_PATH:
            continue
        for folder in folders:
            there = folder / plain
            # The folder itself, or one above it, would be everything.
            if there.exists() and folder.resolve() in there.resolve().parents:
                found.add(there)
    return found


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

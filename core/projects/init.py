"""Makes new projects: for a box, or from a template."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import msgspec

from core import resources
from core.errors import NotFoundError, UsageError
from core.projects.reader import PROJECT_FILE, parse
from core.projects.wording import as_name
from core.projects.writing import write_whole

MINIMAL = "minimal"
DEFAULT_BOX = "debian/bookworm64"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")

_TEXT = """\
# A project of Boxwright. After changes: boxwright validate

[project]
name = {name}
# provider = ["libvirt", "qemu"]            # the first usable one; "auto" without this line

[machines.default]
box = {box}
# version = ">= 12.0, < 13"                 # of the box
cpus = 1
memory = "512MiB"
# ports = [{{ guest = 80, host = 8080 }}]     # the guest's port 80 is then 127.0.0.1:8080
# folders = [{{ host = ".", guest = "/srv/{folder}", exclude = [".git"] }}]

# [[machines.default.provision]]
# name = "packages"
# shell = "apt-get update && apt-get install -y nginx"
"""


class Template(msgspec.Struct, frozen=True):
    """What a new project can begin with."""

    name: str
    description: str
    folder: str = ""
    """Where its files lie, "" for the minimal one."""


def templates() -> tuple[Template, ...]:
    """All templates: the sample projects that come along, and the minimal one."""
    found = [Template(MINIMAL, "One machine from a box, everything else as comments.")]
    samples = resources.sample_projects()
    for file in sorted(samples.glob(f"*/{PROJECT_FILE}")):
        found.append(Template(file.parent.name, _description(file), str(file.parent)))
    return tuple(found)


def create(
    folder: Path | str, *, box: str = "", template: str = "", name: str = "", force: bool = False
) -> tuple[Path, ...]:
    """Write a new project into ``folder`` (made where missing) and return the files written.

    ``box`` is what its machine starts from; ``template`` a name from ``templates()``; not both.
    ``name`` is the project's; without one, the folder's. Raises UsageError where a file is there
    already (unless ``force``) or the name cannot be one, NotFoundError for an unknown template.
    """
    if box and template not in ("", MINIMAL):
        raise UsageError("A project begins with a box or with a template, not with both.")
    target = Path(folder).expanduser().resolve()
    name = name or _name_for(target)
    if not _NAME.match(name):
        raise UsageError(
            f"{name!r} cannot be the name of a project.",
            remedy=f"boxwright init --name {as_name(name)}"
            if as_name(name)
            else "use letters, digits, '.', '_' and '-', 63 at most, beginning with a letter or digit",
        )
    files = _from_template(template, name) if template not in ("", MINIMAL) else _minimal(target, name, box)
    parse(files[Path(PROJECT_FILE)][0].decode(), target / PROJECT_FILE)
    again = f"boxwright init {shlex.quote(box)} --force" if box else "boxwright init --force"
    if template:
        again = f"boxwright init --template {template} --force"
    _refuse_to_replace(target, tuple(files), force, again)
    written = []
    for relative, (content, mode) in files.items():
        path = target / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, mode=mode)
        written.append(path)
    return tuple(written)


def _minimal(target: Path, name: str, box: str) -> dict[Path, tuple[bytes, int | None]]:
    text = _TEXT.format(
        name=json.dumps(name),
        box=json.dumps(box or DEFAULT_BOX, ensure_ascii=False),
        folder=_name_for(target),
    )
    return {Path(PROJECT_FILE): (text.encode(), None)}


def _from_template(template: str, name: str) -> dict[Path, tuple[bytes, int | None]]:
    from core.projects.edit import renamed

    known = {item.name: item for item in templates()}
    if template not in known:
        raise NotFoundError(
            f"There is no template {template!r}.",
            why=f"There are: {', '.join(known)}.",
            remedy="boxwright init --template list",
        )
    source = Path(known[template].folder)
    files: dict[Path, tuple[bytes, int | None]] = {}
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            files[relative] = (path.read_bytes(), path.stat().st_mode & 0o777)
    text = files[Path(PROJECT_FILE)][0].decode()
    files[Path(PROJECT_FILE)] = (renamed(text, name).encode(), None)
    return files


def _refuse_to_replace(target: Path, files: tuple[Path, ...], force: bool, again: str) -> None:
    there = [str(path) for path in files if (target / path).exists()]
    if there and not force:
        raise UsageError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} in {target} already.",
            why="Nothing was written; --force replaces what is there.",
            remedy=again,
        )


def _name_for(folder: Path) -> str:
    return as_name(folder.name) or "project"


def _description(file: Path) -> str:
    """The first sentence of a project file's first comment."""
    words: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        text = line.lstrip("# ").strip()
        if not line.startswith("#") or not text:
            break
        words.append(text)
    return " ".join(words).partition(". ")[0].removesuffix(".")

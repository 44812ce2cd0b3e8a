"""A folder with only a template of Packer's is a project, too: the template is its build."""

from __future__ import annotations

import re
from pathlib import Path

from core.model.project import BuildSpec, Project

_LARGEST = 4 * 1024 * 1024


def template_in(folder: Path) -> bool:
    """Whether a template lies in the folder, as its name says: cheap."""
    return any(folder.glob("*.pkr.hcl")) or any(folder.glob("*.pkr.json"))


def templates_of(folder: Path) -> dict[str, str]:
    """The templates in a folder, by the names of their builds: all HCL files together are one; a file in
    JSON is one where it has builders."""
    found: dict[str, str] = {}
    if template_in(folder):
        found[_name(folder.name)] = "."
    for file in sorted(folder.glob("*.json")):
        if not file.name.endswith((".pkr.json", ".pkrvars.json")) and _has_builders(file):
            found[_name(file.stem)] = file.name
    return found


def project_of_templates(folder: Path) -> Project | None:
    """The project that the templates in a folder make, None without any."""
    found = templates_of(folder)
    if not found:
        return None
    first = next(iter(found.values()))
    return Project(
        root=str(folder),
        file=str(folder if first == "." else folder / first),
        name=_name(folder.name),
        builds={name: BuildSpec(template=path) for name, path in found.items()},
    )


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip("._-")[:63] or "template"


def _has_builders(file: Path) -> bool:
    try:
        return file.stat().st_size < _LARGEST and b'"builders"' in file.read_bytes()
    except OSError:
        return False

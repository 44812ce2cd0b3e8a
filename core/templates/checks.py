"""What can be wrong with a template beyond its language: files that are not there, names that are unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.model.problem import Problem
from core.templates.model import Step, Template
from core.templates.problems import problem
from core.templates.reading import SPEAKS
from core.templates.support import supports
from core.templates.versions import satisfies

_SCRIPTS = ("shell", "shell-local", "powershell", "windows-shell")


def missing_files(template: Template, cwd: Path) -> tuple[Problem, ...]:
    """Scripts and files that provisioners name and that are not there. Paths are relative to ``cwd``, as in
    Packer."""
    found = []
    for build in template.builds:
        for step in (*build.provisioners, *((build.on_error,) if build.on_error else ())):
            for name in _files(step):
                if not Path(cwd, Path(name).expanduser()).exists():
                    what = f'The provisioner "{step.kind}" needs {name}, which is not there.'
                    why = "Relative paths are relative to the current folder." if name[:1] not in "/~" else ""
                    found.append(problem(what, step.place, why=why, remedy=f"ls -l {Path(name).parent}"))
    return tuple(found)


def _files(step: Step) -> list[str]:
    settings = step.settings
    names: list[Any] = []
    if step.kind in _SCRIPTS:
        scripts = settings.get("scripts")
        names = [settings.get("script"), *(scripts if isinstance(scripts, list) else [])]
    elif step.kind == "file" and settings.get("direction", "upload") != "download":
        sources = settings.get("sources")
        names = [settings.get("source"), *(sources if isinstance(sources, list) else [])]
        if settings.get("generated"):
            names = []
    return [name for name in names if isinstance(name, str) and name and "{{" not in name]


def warnings(template: Template) -> tuple[Problem, ...]:
    """Odd, but no mistakes: kinds that nobody knows, versions of Packer that are not spoken."""
    found = list(template.warnings)
    if template.required_version and not satisfies(SPEAKS, template.required_version):
        what = f"The template wants Packer {template.required_version}; Boxwright reads those for {SPEAKS}."
        found.append(problem(what, template.builds[0].place if template.builds else None))
    for one in supports(template):
        if one.runs == "unknown":
            place = _place(template, one.kind)
            found.append(problem(f'The {one.part} "{one.kind}" is not known.', place, remedy=one.why))
    return tuple(found)


def _place(template: Template, kind: str) -> Any:
    parts: list[Any] = [*template.data, *template.sources]
    for build in template.builds:
        parts += [*build.provisioners, *(one for chain in build.post_processors for one in chain)]
    return next((part.place for part in parts if part.kind == kind), None)

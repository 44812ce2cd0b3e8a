"""Reads ``boxwright.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ConfigError, NotFoundError
from core.model.problem import Place, Problem
from core.model.project import Project, ProjectFile
from core.projects.templates import project_of_templates, template_in, templates_of

PROJECT_FILE = "boxwright.toml"
LARGEST = 4 * 1024 * 1024
"""Bytes; a larger file is not a project file."""


class ProjectFileError(ConfigError):
    """All that is wrong with a project file: ``problem`` is the first, ``problems`` are all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        tail = tuple(_line(problem) for problem in problems[1:])
        super().__init__(first.what, why=first.why, remedy=first.remedy, place=first.place, tail=tail)
        self.problem = msgspec.structs.replace(self.problem, others=problems[1:])
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join((super().__str__(), *self.problem.tail))


def find_root(start: Path | str) -> Path:
    """The nearest folder, ``start`` or above it, with a project file. Raises NotFoundError."""
    start = Path(start).expanduser().resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file() or template_in(folder):
            return folder
    if templates_of(start):
        return start
    raise _no_project(start)


def load(root: Path | str) -> Project:
    """The project in a folder, or the one that a file describes.

    A folder with only templates is a project, too.

    Raises NotFoundError where there is none, ProjectFileError where the file is wrong.
    """
    path = Path(root).expanduser().resolve()
    file = path if path.is_file() else path / PROJECT_FILE
    if path.is_dir() and not file.is_file():
        project = project_of_templates(path)
        if project is not None:
            return project
    return parse(read_source(file), file)


def parse(source: str, file: Path) -> Project:
    """The project that the text ``source`` of ``file`` describes. Raises ProjectFileError."""
    data = read_toml(source, file)
    try:
        content = msgspec.convert(data, ProjectFile)
    except (msgspec.ValidationError, OverflowError):
        from core.projects.report import data_problems

        raise ProjectFileError(data_problems(data, source, file)) from None
    project = project_of(content, file)
    from core.projects.checks import contradictions

    faults = contradictions(project)
    if faults:
        from core.projects.checks import missing_files
        from core.projects.report import place_faults

        raise ProjectFileError(place_faults([*faults, *missing_files(project)], source, file))
    return project


def project_of(content: ProjectFile, file: Path) -> Project:
    """The project that the content of a file makes."""
    return Project(
        root=str(file.parent),
        file=str(file),
        name=content.project.name,
        provider=_tuple(content.project.provider),
        machines=content.machines,
        builds=content.builds,
    )


def read_source(file: Path) -> str:
    """The text of a project file. Raises NotFoundError or ConfigError."""
    place = Place(file=str(file))
    try:
        if file.stat().st_size > LARGEST:
            raise ConfigError(f"{file} is too large to be a project file.", place=place)
        raw = file.read_bytes()
    except FileNotFoundError:
        raise _no_project(file.parent if file.name == PROJECT_FILE else file) from None
    except OSError as error:
        raise ConfigError(
            f"The project file cannot be read: {error.strerror or error}.",
            place=place,
            remedy=f"ls -l {file}",
        ) from error
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode(errors="replace")) + 1
        raise ConfigError(
            "The project file is not UTF-8 text.",
            why=f"Byte 0x{raw[error.start]:02x} means nothing there.",
            remedy="save the file with the encoding UTF-8",
            place=Place(file=str(file), line=line, column=column),
        ) from None


def read_toml(source: str, file: Path) -> dict[str, Any]:
    """The plain data of a project file. Raises ProjectFileError where it is no TOML."""
    try:
        return tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        from core.projects.report import syntax_problem

        raise ProjectFileError((syntax_problem(error, source, file),)) from None


def _no_project(folder: Path) -> NotFoundError:
    if not folder.exists():
        return NotFoundError(f"There is no {folder}.")
    others = [name for name in ("Vagrantfile",) if (folder / name).is_file()]
    return NotFoundError(
        f"There is no {PROJECT_FILE} in {folder} or above it.",
        why=f"There is {others[0]}, which this version does not read yet." if others else "",
        remedy="boxwright init",
    )


def _tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _line(problem: Problem) -> str:
    """A problem in one line; the folder is that of the first one."""
    place = problem.place
    where = f"{msgspec.structs.replace(place, file=Path(place.file).name)}: " if place else ""
    return f"{where}{problem.what}{f' To mend it: {problem.remedy}' if problem.remedy else ''}"

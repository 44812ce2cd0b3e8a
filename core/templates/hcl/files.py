"""The files of an HCL2 template: one, or all of a folder."""

from __future__ import annotations

from pathlib import Path

from core.errors import NotFoundError
from core.model.problem import Place
from core.templates.hcl import tree
from core.templates.hcl.bodies import parse_body
from core.templates.hcl.jsonbody import json_body
from core.templates.problems import Problems, problem
from core.templates.source import LARGEST, Source

TEMPLATES = (".pkr.hcl", ".pkr.json")
VARIABLES = (".auto.pkrvars.hcl", ".auto.pkrvars.json")


def template_files(path: Path) -> tuple[list[Path], list[Path]]:
    """The template's files and the variable files that belong to it by their names.

    Raises NotFoundError where there is no such file, or nothing in the folder.
    """
    if path.is_file():
        return [path], _ending(path.parent, VARIABLES)
    if not path.is_dir():
        raise NotFoundError(f"There is no template {path}.", remedy=f"ls {path.parent}")
    found = _ending(path, TEMPLATES)
    if not found:
        raise NotFoundError(
            f"There is no template in {path}.",
            why="HCL2 templates are called NAME.pkr.hcl or NAME.pkr.json.",
            remedy=f"ls {path}",
        )
    return found, _ending(path, VARIABLES)


def _ending(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    try:
        return sorted(path for ending in endings for path in folder.glob(f"*{ending}") if path.is_file())
    except OSError:
        return []


def read_body(path: Path, problems: Problems, *, variables: bool = False) -> tree.Body | None:
    """A file's blocks and settings; None where it cannot be read at all, which goes to ``problems``.
    ``variables``: it holds values of variables."""
    text = read_text(path, problems)
    if text is None:
        return None
    source = Source(str(path), text)
    if path.name.endswith(".json"):
        return json_body(source, problems, variables=variables)
    return parse_body(source, problems)


def read_text(path: Path, problems: Problems) -> str | None:
    """A file's text; what keeps it from being read goes to ``problems``."""
    place = Place(file=str(path))
    try:
        if path.stat().st_size > LARGEST:
            problems.put(problem(f"{path} is too large to be a template.", place))
            return None
        raw = path.read_bytes()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror or error}."
        problems.put(problem(what, place, remedy=f"ls -l {path}"))
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        place = Place(file=str(path), line=line, column=error.start - raw.rfind(b"\n", 0, error.start))
        remedy = "save the file with the encoding UTF-8"
        problems.put(problem("The template is not UTF-8 text.", place, remedy=remedy))
        return None

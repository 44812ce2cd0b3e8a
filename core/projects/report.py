"""Turns what is wrong with a project file into problems with places and remedies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.model.problem import ExitCode, Place, Problem
from core.model.project import ProjectFile
from core.projects.diagnosis import Fault, diagnose
from core.projects.positions import Positions

_HINTS = (
    ("Cannot declare", "a table may stand only once: put its keys together under one header"),
    ("Cannot overwrite", "a key may stand only once in a table: take one of them away"),
    ("Cannot mutate immutable", "a table in braces is complete: put all of its keys inside them"),
    ("Unclosed inline table", "a table in braces ends with '}' on the same line"),
    ("Unclosed array", "a list ends with ']'"),
    ("Unescaped '\\'", "write '\\\\' for a backslash, or put the text in single quotes"),
    ("Unterminated string", "close the quotes"),
    ("Illegal character '\\n'", "close the quotes on the same line, or use three of them for several lines"),
    ("Expected '=' after a key", "write KEY = VALUE"),
    ("Expected newline or end of document", "begin a new line after the value"),
    ("at the end of a table declaration", "a table's header stands alone on its line: [machines.web]"),
    ("Invalid value", 'text stands in quotes: name = "web"; a list in [ ]; a table in { }'),
    ("Invalid initial character", "a key is made of letters, digits, '_' and '-', or stands in quotes"),
    ("Invalid statement", "write KEY = VALUE, or [TABLE]"),
)


def syntax_problem(error: Exception, source: str, file: Path) -> Problem:
    """What tomllib said about a source that is not TOML."""
    text = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", text)
    line, column, shown = 0, 0, ""
    if found:
        text = text[: found.start()]
        lines = source.splitlines() or [""]
        line = int(found[1] or len(lines))
        column = int(found[2] or len(lines[-1]) + 1)
        shown = lines[line - 1] if line <= len(lines) else ""
        if text.startswith("Cannot "):  # tomllib noticed it behind the value
            column = len(shown) - len(shown.lstrip()) + 1
    if isinstance(error, RecursionError):
        text = "lists or tables are nested too deeply"
    elif not found:
        text = "a number is too long"
    remedy = next((hint for sign, hint in _HINTS if sign in text), "")
    if source.startswith("\ufeff"):
        remedy = "the file begins with a byte order mark: save it as UTF-8 without one"
    return Problem(
        what="The project file is not valid TOML.",
        why=f"{text[:1].upper()}{text[1:]}.",
        remedy=remedy,
        code=ExitCode.USAGE,
        place=Place(file=str(file), line=line, column=column, text=shown),
    )


def data_problems(data: dict[str, Any], source: str, file: Path) -> tuple[Problem, ...]:
    """Everything that keeps TOML data from being a project, in the order of the file."""
    from core.projects.checks import contradictions, missing_files
    from core.projects.salvage import Salvaged

    rest = Salvaged(data, file)
    faults = diagnose(data, ProjectFile)
    if rest.project:
        faults += rest.placed([*contradictions(rest.project), *missing_files(rest.project)])
    return place_faults(faults, source, file)


def place_faults(faults: Iterable[Fault], source: str, file: Path) -> tuple[Problem, ...]:
    """Faults as problems, each with its line and column, in the order of the file."""
    positions = Positions(source)
    problems = []
    for fault in faults:
        find = positions.key if fault.at_key else positions.value
        line, column, text = find(fault.path)
        place = Place(file=str(file), line=line, column=column, text=text)
        problems.append(
            Problem(what=fault.what, why=fault.why, remedy=fault.remedy, code=ExitCode.USAGE, place=place)
        )
    return tuple(sorted(problems, key=_order))


def _order(problem: Problem) -> tuple[int, int]:
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)

"""Problems as people read them: what, where, why, and what to do next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from core.cli import cells
from core.cli.look import Look
from core.model.problem import Place, Problem

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|\[[^][=]*\]|[\w.+-]+|\S')


def problem_lines(problem: Problem, look: Look, *, label: str = "error") -> list[str]:
    """A problem with its place and the line there, the last output, the reason and the remedy."""
    lines = [_head(problem, look, label)]
    if problem.place is not None:
        lines += _excerpt(problem.place, look)
    tail = () if problem.others else problem.tail
    for text in tail:
        lines.append(f"  {look.gutter} {cells.clean(text[-cells.LONGEST :], colours=look.colour)}")
    if lines and look.colour and tail:
        lines[-1] += cells.RESET
    for text in problem.why.splitlines():
        lines += cells.wrap(cells.clean(text), look.width, indent="  ")
    if problem.remedy:
        first, *more = problem.remedy.splitlines()
        lines.append(f"  {look.paint('To mend it:', 'green')} {cells.clean(first)}")
        lines += [f"              {cells.clean(text)}" for text in more]  # Below the first one.
    for other in problem.others:
        lines += problem_lines(other, look, label="warning" if label == "warning" else "error")
    if problem.others:
        lines.append(f"{len(problem.others) + 1} mistakes.")
    if problem.report and problem.report not in problem.remedy:
        lines.append(f"  This is a mistake in Boxwright; the report is in {problem.report}")
    return lines


def _head(problem: Problem, look: Look, label: str) -> str:
    first, *more = problem.what.splitlines() or [""]
    place = f"{look.paint(str(problem.place), 'bold')}: " if problem.place else ""
    colour = "yellow" if label == "warning" else "red"
    head = f"{place}{look.paint(f'{label}:', 'bold', colour)} {look.paint(cells.clean(first), 'bold')}"
    rest = [line for text in more for line in cells.wrap(cells.clean(text), look.width, indent="  ")]
    return "\n".join([head, *rest])


def _excerpt(place: Place, look: Look) -> list[str]:
    """The offending line with carets below, as compilers show it."""
    source = _line(place)
    if not source.strip():
        return []
    number = str(place.line)
    margin = " " * len(number)
    lines = [f" {look.paint(f'{number} |', 'blue')} {cells.clean(source)}"]
    if place.column:
        before = cells.expand_tabs(source[: place.column - 1])
        marked = source[place.column - 1 :]
        under = " " * cells.width(before) + "^" * max(1, cells.width(_offending(marked, place.text)))
        lines.append(f" {look.paint(f'{margin} |', 'blue')} {look.paint(under, 'bold', 'red')}")
    return lines


def _offending(marked: str, text: str) -> str:
    """What to mark: the place's own text, or the first word where that is all of the line."""
    if text and marked.startswith(text) and text != marked.rstrip():
        return text
    found = _WORD.match(marked)
    return found.group() if found else ""


def _line(place: Place) -> str:
    if not place.line:
        return ""
    try:
        with Path(place.file).open(encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, 1):
                if number == place.line:
                    return line.rstrip("\r\n")
    except OSError:
        pass
    return ""


def problem_document(problem: Problem) -> dict[str, Any]:
    """A problem as JSON data."""
    import msgspec

    data: dict[str, Any] = msgspec.to_builtins(problem)
    return data

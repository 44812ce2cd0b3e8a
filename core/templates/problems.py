"""What is wrong with a template, collected: one run names every mistake that it can."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from core.errors import ConfigError
from core.model.problem import ExitCode, Place, Problem
from core.templates.source import Span


class TemplateError(ConfigError):
    """All that is wrong with a template: ``problem`` is the first, ``problems`` are all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        tail = tuple(_line(problem) for problem in problems[1:])
        super().__init__(first.what, why=first.why, remedy=first.remedy, place=first.place, tail=tail)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join((super().__str__(), *self.problem.tail))


class Fault(Exception):
    """One mistake, on its way to the next place that collects them."""

    def __init__(self, what: str, at: Span | None, *, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.at = at
        self.why = why
        self.remedy = remedy

    @property
    def problem(self) -> Problem:
        place = self.at.place if self.at is not None else None
        return problem(self.what, place, why=self.why, remedy=self.remedy)


class Problems:
    """Collects problems, each place and sentence once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self.warnings: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, fault: Fault) -> None:
        self.put(fault.problem)

    def put(self, found: Problem) -> None:
        known = [(one.what, one.place) for one in self._found]
        if (found.what, found.place) not in known:
            self._found.append(found)

    def warn(self, fault: Fault) -> None:
        """Something odd that stops nothing."""
        self.warnings.append(fault.problem)

    @property
    def all(self) -> tuple[Problem, ...]:
        return tuple(in_order(self._found))

    def check(self) -> None:
        """Raises TemplateError where anything was found."""
        if self._found:
            raise TemplateError(self.all)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each once, in the order of files and lines; those without a place first."""
    return sorted(dict.fromkeys(problems), key=_order)


def problem(what: str, place: Place | None = None, *, why: str = "", remedy: str = "") -> Problem:
    """A problem of the kind that a wrong template is."""
    return Problem(what=what, why=why, remedy=remedy, code=ExitCode.USAGE, place=place)


def meant(word: str, known: Iterable[str]) -> str:
    """``did you mean "image"?``, or ""."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""


def one_of(words: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {last} {listed[-1]}"


def _order(found: Problem) -> tuple[str, int, int]:
    place = found.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def _line(found: Problem) -> str:
    where = f"{found.place}: " if found.place else ""
    return f"{where}{found.what}{f' To mend it: {found.remedy}' if found.remedy else ''}"

"""What a conversion could not carry over, each once."""

from __future__ import annotations

from core.model.problem import Place, Problem
from core.templates.problems import problem


class Losses:
    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, what: str, place: Place | None = None, why: str = "") -> None:
        one = problem(what, place, why=why)
        if one not in self._found:
            self._found.append(one)

    @property
    def all(self) -> tuple[Problem, ...]:
        return tuple(self._found)

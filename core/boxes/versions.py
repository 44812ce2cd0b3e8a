"""Versions and constraints with the meaning that RubyGems, and so Vagrant, gives them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from core.errors import UsageError

_VERSION = r"[0-9]+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_WHOLE_VERSION = re.compile(rf"\s*({_VERSION})?\s*", re.ASCII)
_REQUIREMENT = re.compile(rf"\s*(=|!=|>=|<=|~>|>|<)?\s*({_VERSION})\s*", re.ASCII)
_SEGMENT = re.compile(r"[0-9]+|[a-zA-Z]+", re.ASCII)

_MOST_DIGITS = 1000
"""Longer versions are refused: they are no versions, and Python limits such conversions too."""

Segments = tuple[int | str, ...]
T = TypeVar("T")


@functools.total_ordering
class Version:
    """A version such as ``1.2.0``, ``20240101.1`` or ``2.0.0-beta.1``.

    ``1.0`` and ``1`` are equal. Letters make a prerelease, which comes before its release.
    Raises UsageError for text that is no version.
    """

    __slots__ = ("_canonical", "_segments", "text")

    def __init__(self, text: str) -> None:
        found = _WHOLE_VERSION.fullmatch(text) if len(text) <= _MOST_DIGITS else None
        if not found:
            raise UsageError(
                f"{text[:80]!r} is not a version.",
                why="A version is numbers and words with dots between them, beginning with a number.",
                remedy="write a version such as 1.2.0 or 2.0.0-beta.1",
            )
        self.text = text.strip() or "0"
        dotted = self.text.replace("-", ".pre.")
        self._segments: Segments = tuple(
            int(part) if part.isdigit() else part for part in _SEGMENT.findall(dotted)
        )
        self._canonical = _canonical(self._segments)

    @property
    def prerelease(self) -> bool:
        return any(isinstance(segment, str) for segment in self._segments)

    @property
    def release(self) -> Version:
        """The release that a prerelease leads to; a release itself."""
        return _joined(self._numbers()) if self.prerelease else self

    @property
    def bump(self) -> Version:
        """The next version that ``~>`` excludes: 1.3 for 1.2.5, 2 for 1.2."""
        numbers = self._numbers()
        if len(numbers) > 1:
            numbers = numbers[:-1]
        return _joined([*numbers[:-1], numbers[-1] + 1])

    def _numbers(self) -> list[int]:
        """The segments before the first word; a version begins with a number, so never none."""
        numbers: list[int] = []
        for segment in self._segments:
            if isinstance(segment, str):
                break
            numbers.append(segment)
        return numbers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._canonical == other._canonical

    def __lt__(self, other: Version) -> bool:
        mine, others = self._canonical, other._canonical
        for index in range(max(len(mine), len(others))):
            left = mine[index] if index < len(mine) else 0
            right = others[index] if index < len(others) else 0
            if left == right:
                continue
            if isinstance(left, str) and isinstance(right, str):
                return left < right
            if isinstance(left, int) and isinstance(right, int):
                return left < right
            return isinstance(left, str)
        return False

    def __hash__(self) -> int:
        return hash(self._canonical)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"


def _canonical(segments: Segments) -> Segments:
    """Without the zeros at the end of the numbers and at the end of what follows them."""
    split = next((at for at, segment in enumerate(segments) if isinstance(segment, str)), len(segments))
    return _without_zeros(segments[:split]) + _without_zeros(segments[split:])


def _without_zeros(segments: Segments) -> Segments:
    end = len(segments)
    while end and segments[end - 1] == 0:
        end -= 1
    return segments[:end]


def _joined(numbers: Iterable[int]) -> Version:
    return Version(".".join(str(number) for number in numbers))


_OPERATORS: dict[str, Callable[[Version, Version], bool]] = {
    "=": lambda version, wanted: version == wanted,
    "!=": lambda version, wanted: version != wanted,
    ">": lambda version, wanted: version > wanted,
    "<": lambda version, wanted: version < wanted,
    ">=": lambda version, wanted: version >= wanted,
    "<=": lambda version, wanted: version <= wanted,
    "~>": lambda version, wanted: version >= wanted and version.release < wanted.bump,
}


class Constraint:
    """Requirements separated by commas, all of which must hold: ``>= 1.0, < 2``. "" admits everything.

    Raises UsageError for text that is no constraint.
    """

    __slots__ = ("requirements", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text.strip()
        parts = self.text.split(",") if self.text else []
        self.requirements: tuple[tuple[str, Version], ...] = tuple(_requirement(part, text) for part in parts)

    def admits(self, version: Version) -> bool:
        return all(_OPERATORS[operator](version, wanted) for operator, wanted in self.requirements)

    @property
    def asks_for_prerelease(self) -> bool:
        """Whether a prerelease is named, which makes prereleases welcome."""
        return any(wanted.prerelease for _, wanted in self.requirements)

    def newest(self, candidates: Sequence[T], version_of: Callable[[T], Version]) -> list[T]:
        """The candidates that are admitted, newest first; equal versions keep their order.

        Prereleases are left out unless the constraint names one, or is empty and there is nothing else.
        """
        admitted = [(version_of(each), each) for each in candidates]
        admitted = [pair for pair in admitted if self.admits(pair[0])]
        if not self.asks_for_prerelease:
            releases = [pair for pair in admitted if not pair[0].prerelease]
            if releases or self.requirements:
                admitted = releases
        admitted.sort(key=lambda pair: pair[0], reverse=True)
        return [each for _, each in admitted]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Constraint({self.text!r})"


def _requirement(part: str, whole: str) -> tuple[str, Version]:
    found = _REQUIREMENT.fullmatch(part) if len(part) <= _MOST_DIGITS else None
    if not found:
        raise UsageError(
            f"{part.strip()[:80]!r} is not a version constraint.",
            why=f"It is part of {whole[:80]!r}.",
            remedy="write for instance '>= 1.0, < 2', '~> 1.2' or '= 1.2.3'",
        )
    return found[1] or "=", Version(found[2])

"""Versions and constraints on them, as templates write them."""

from __future__ import annotations

import re

_PART = re.compile(
    r"\s*(=|!=|>|<|>=|<=|~>)?\s*v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\s*"
)


def is_constraint(text: str) -> bool:
    """``>= 1.0, < 2`` and the like."""
    return all(_PART.fullmatch(part) for part in text.split(","))


def satisfies(version: str, constraint: str) -> bool:
    """A version (numbers only) is within a constraint; a constraint that is none is never met."""
    have = _numbers(version)
    for part in constraint.split(","):
        found = _PART.fullmatch(part)
        if found is None or not _holds(have, found[1] or "=", found[2]):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in version.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _holds(have: tuple[int, ...], sign: str, wanted: str) -> bool:
    want = _numbers(wanted)
    if sign == "~>":
        fixed = max(1, wanted.count("."))
        return have >= want and have[:fixed] == want[:fixed]
    return {
        "=": have == want,
        "!=": have != want,
        ">": have > want,
        "<": have < want,
        ">=": have >= want,
        "<=": have <= want,
    }[sign]

"""Which rows a filter lets through: a regular expression, ``!`` before it for the others, ``-f`` for letters
that only have to come in that order."""

from __future__ import annotations

import re
from collections.abc import Callable

Keep = Callable[[str], bool]

FUZZY = "-f"


def matcher(pattern: str) -> Keep:
    """Tells of a row's text whether it stays. What is no regular expression is searched as it is."""
    inverse = pattern.startswith("!")
    text = pattern.removeprefix("!")
    found = _fuzzy(text.removeprefix(FUZZY)) if _is_fuzzy(text) else _regular(text)
    return (lambda row: not found(row)) if inverse else found


def as_written(pattern: str) -> str:
    """The text that is searched as it is, as it is no regular expression; "" where it is one."""
    text = pattern.removeprefix("!")
    return text if not _is_fuzzy(text) and _compiled(text) is None else ""


def _compiled(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error:
        return None


def _is_fuzzy(text: str) -> bool:
    return text == FUZZY or text.startswith(f"{FUZZY} ")


def _fuzzy(text: str) -> Keep:
    wanted = [letter for letter in text.casefold() if not letter.isspace()]

    def found(row: str) -> bool:
        letters = iter(row.casefold())
        return all(letter in letters for letter in wanted)

    return found


def _regular(text: str) -> Keep:
    regex = _compiled(text) or re.compile(re.escape(text), re.IGNORECASE)
    return lambda row: regex.search(row) is not None

"""What a word on a line means where names are expected: a name, a shell pattern, a regular expression."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

from core.errors import UsageError

_PATTERN = frozenset("*?[")


def matches(word: str, names: Sequence[str]) -> list[str]:
    """The names that a word means: itself, a shell pattern, or /a regular expression/.

    Raises UsageError for a pattern that is none.
    """
    if len(word) > 2 and word[0] == word[-1] == "/":
        try:
            expression = re.compile(word[1:-1])
        except re.error as error:
            raise UsageError(
                f"{word} is not a regular expression.",
                why=str(error),
                remedy=f"put '\\' before characters that mean themselves: /{re.escape(word[1:-1])}/",
            ) from None
        return [name for name in names if expression.search(name)]
    if _PATTERN & set(word):
        return [name for name in names if fnmatch.fnmatchcase(name, word)]
    return [name for name in names if name == word]


def is_pattern(word: str) -> bool:
    return bool(_PATTERN & set(word)) or (len(word) > 2 and word[0] == word[-1] == "/")

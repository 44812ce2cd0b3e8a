"""Names, patterns and regular expressions."""

from __future__ import annotations

import pytest

from core.commands.names import is_pattern, matches
from core.errors import UsageError

NAMES = ["web1", "web2", "db", "cache"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("db", ["db"]),
        ("web*", ["web1", "web2"]),
        ("web[12]", ["web1", "web2"]),
        ("?b", ["db"]),
        ("/^web|^c/", ["web1", "web2", "cache"]),
        ("DB", []),
        ("x*", []),
        ("/", []),
        ("//", []),
    ],
)
def test_words(word: str, found: list[str]) -> None:
    assert matches(word, NAMES) == found


def test_a_broken_expression_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        matches("/(/", NAMES)


def test_patterns_are_told_from_names() -> None:
    assert [is_pattern(word) for word in ("web", "web*", "/w/", "/", "a?", "a[b]")] == [
        False, True, True, False, True, True,
    ]  # fmt: skip

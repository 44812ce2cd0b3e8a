"""Guesses what was meant by a word that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def close(word: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The known words that look like ``word``, whatever dashes they begin with; the likeliest first."""
    lowered = {name.lower().lstrip("-"): name for name in known}
    found = difflib.get_close_matches(word.lower().lstrip("-"), lowered, n=most, cutoff=0.6)
    return [lowered[name] for name in found]


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """``Did you mean 'up' or 'upload'?``, "" where nothing looks like it."""
    found = [repr(name) for name in close(word, known)]
    if not found:
        return ""
    return f"Did you mean {' or '.join(', '.join(found).rsplit(', ', 1))}?"

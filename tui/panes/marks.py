"""Which rows of a list are marked, by their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Marks:
    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._anchor = ""
        """Where the next range begins: the row that was marked last."""

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def turn(self, key: str) -> None:
        """Mark it, or take its mark away."""
        self._anchor = key
        self._keys ^= {key}

    def reach(self, keys: Sequence[str], number: int) -> None:
        """Mark all of ``keys`` from the one that was marked last to that number."""
        start = keys.index(self._anchor) if self._anchor in keys else number
        first, last = sorted((start, number))
        self._keys |= set(keys[first : last + 1])
        self._anchor = keys[number]

    def all(self, keys: Iterable[str]) -> None:
        """Mark all of them, or where they are, none."""
        shown = set(keys)
        self._keys = self._keys - shown if shown <= self._keys else self._keys | shown

    def keep(self, keys: Iterable[str]) -> None:
        """What is not there any more is not marked."""
        if self._keys:
            self._keys &= set(keys)

    def clear(self) -> bool:
        """False where there were none."""
        had = bool(self._keys)
        self._keys.clear()
        return had

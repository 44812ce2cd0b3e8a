"""What is being worked out at the moment: whatever needs itself is named with its circle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.templates.problems import Fault
from core.templates.source import Span


class Asked:
    """The names that need each other, the outermost first: shared by all that can be in one circle."""

    def __init__(self) -> None:
        self._names: list[str] = []

    @contextmanager
    def within(self, name: str, noun: str, at: Span) -> Iterator[None]:
        """While ``name`` is worked out. Raises Fault where that is going on already."""
        if name in self._names:
            shown = " → ".join([*self._names[self._names.index(name) :], name])
            raise Fault(f"The {noun} needs itself.", at, why=f"The circle is {shown}.")
        self._names.append(name)
        try:
            yield
        finally:
            self._names.pop()

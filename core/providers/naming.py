"""Names that users give to snapshots: which will do, and what is said of those that are not there."""

from __future__ import annotations

from collections.abc import Collection

from core.errors import NotFoundError, UsageError


def check_new(name: str, known: Collection[str]) -> None:
    """Raise UsageError where a snapshot cannot be called that."""
    if not name.strip() or len(name) > 200 or any(ord(letter) < 32 for letter in name):
        raise UsageError(
            f"A snapshot cannot be called {name!r}.",
            why="A name has 1 to 200 characters, no line breaks, and is not blank.",
        )
    if name in known:
        raise UsageError(
            f"There is a snapshot {name!r} already.",
            remedy=f"boxwright snapshot delete {name!r}, or choose another name",
        )


def unknown(machine: str, name: str, known: Collection[str]) -> NotFoundError:
    """The error for a snapshot that the machine has not."""
    others = ", ".join(map(repr, known))
    return NotFoundError(
        f"The machine {machine} has no snapshot {name!r}.",
        why=f"It has: {others}." if others else "It has none.",
    )

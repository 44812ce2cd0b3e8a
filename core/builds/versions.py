"""Versions of boxes that builds make: 1, 2, 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.boxes.store import BoxStore


def next_version(store: BoxStore, name: str) -> int:
    """One more than the greatest whole number among the versions of a box, 1 without any."""
    versions = [box.version for box in store.list() if box.name == name]
    return (
        max((int(version) for version in versions if version.isascii() and version.isdigit()), default=0) + 1
    )

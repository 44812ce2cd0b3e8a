"""Finds the project that a folder belongs to, without reading it."""

from __future__ import annotations

from pathlib import Path

from core.cli.well_known import PROJECT_FILES
from core.errors import NotFoundError


def find(start: Path) -> Path:
    """The nearest folder, from ``start`` upward, that is a project. Raises NotFoundError."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in PROJECT_FILES):
            return folder
    return _find_by_readers(start)


def _find_by_readers(start: Path) -> Path:
    """What else makes a folder a project is known to the readers; importing them takes its time."""
    from core.projects import find_root

    try:
        return find_root(start)
    except NotFoundError as error:
        raise NotFoundError(
            f"There is no project in {start} or above it.",
            why="A project is a folder with a boxwright.toml.",
            remedy="boxwright init BOX   (makes one here)\n"
            "boxwright --project DIR ...   (uses one elsewhere)",
        ) from error

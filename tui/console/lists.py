"""What can be chosen from: consoles that are open, and recordings."""

from __future__ import annotations

from collections.abc import Iterable

from core import amounts
from tui.console import recording
from tui.console.tabs import Console
from tui.dialogs.palette import Entry


def consoles(open: Iterable[Console]) -> list[Entry]:
    return [
        Entry(
            console.id,
            console.session.title,
            f"{console.name}: {console.session.title}",
            "",
            f"{console.session.state}, in {console.project}",
        )
        for console in open
    ]


def recordings(now: float) -> list[Entry]:
    """The newest first; their ids are their paths."""
    found = []
    for path in recording.folder().glob("*.cast"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        found.append((stat.st_mtime, stat.st_size, path))
    return [
        Entry(str(path), path.stem, path.stem, "", f"{amounts.size(size)}, {amounts.ago(at, now)}")
        for at, size, path in sorted(found, reverse=True)
    ]

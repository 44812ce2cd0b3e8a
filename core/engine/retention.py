"""How long operations and their logs are kept."""

from __future__ import annotations

from pathlib import Path

from core.engine.journal import Journal
from core.engine.log import index_of, remove_log

KEEP = 500
"""Operations that are kept."""

MOST = 500 * 1024 * 1024
"""Bytes that all logs together may take; the oldest go first."""


def prune(journal: Journal, folder: Path, *, keep: int = KEEP, most: int = MOST) -> tuple[str, ...]:
    """Remove what is old, from the journal and the folder of logs. Returns the ids of what went."""
    running = {operation.id for operation in journal.open_operations()}
    logs = sorted((path for path in folder.glob("*.log") if path.stem not in running), reverse=True)
    total = 0
    large = []
    for path in logs:
        total += _size(path) + _size(index_of(path))
        if total > most:
            large.append(path.stem)
    gone = journal.forget_operations(keep, tuple(large))
    for operation in gone:
        remove_log(folder, operation)
    return gone


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

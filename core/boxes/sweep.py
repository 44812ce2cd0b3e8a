"""What no box needs in a store, found and removed: contents without a record, abandoned folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import undo
from core.boxes.locks import FileLock, locked, try_lock
from core.boxes.staging import LOCK_NAME

if TYPE_CHECKING:
    from core.boxes.store import BoxStore


class Leftover(msgspec.Struct, frozen=True):
    """Something in the store that no box needs."""

    path: Path
    what: str
    size: int
    """Bytes on the disk."""


def leftovers(store: BoxStore) -> list[Leftover]:
    found = []
    for path, lock in _abandoned_staging(store):
        found.append(Leftover(path, "an unfinished unpacking", allocated(path)))
        lock.release()
    with locked(store.lock):
        return found + _unneeded_blobs(store)


def sweep(store: BoxStore) -> int:
    """Remove what ``leftovers`` lists; safe beside others who add boxes. Returns bytes freed."""
    freed = 0
    for path, lock in _abandoned_staging(store):
        freed += allocated(path)
        undo.remove(path)
        lock.release()
    with locked(store.lock):
        for unfinished in store.records.unfinished():
            unfinished.unlink(missing_ok=True)
        for leftover in _unneeded_blobs(store):
            leftover.path.unlink(missing_ok=True)
            freed += leftover.size
    return freed


def _abandoned_staging(store: BoxStore) -> list[tuple[Path, FileLock]]:
    """Staging folders whose owner is gone, each with its lock, which is now ours."""
    abandoned = []
    with locked(store.lock):
        for path in store.staging.iterdir():
            try:
                lock = try_lock(path / LOCK_NAME)
            except FileNotFoundError:
                continue
            if lock:
                abandoned.append((path, lock))
    return abandoned


def _unneeded_blobs(store: BoxStore) -> list[Leftover]:
    """Contents that no record needs; none at all while a record cannot be read, as it may need any."""
    current, bad = store.records.all()
    retired, bad_retired = store.records.all_retired()
    if bad or bad_retired:
        return []
    needed = frozenset[str]().union(*(each.blobs for each in (*current, *retired)))
    return [
        Leftover(path, "content that no box needs", allocated(path))
        for path in store.blobs.glob("*/*")
        if path.name not in needed
    ]


def allocated(path: Path) -> int:
    """Bytes on the disk of a file or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(allocated(each) for each in path.iterdir())
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0

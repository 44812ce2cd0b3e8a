"""Making room: superseded versions that no machine is linked to, and leftovers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core import amounts
from core.boxes.architecture import canonical
from core.boxes.locks import try_lock
from core.boxes.manifest import Manifest
from core.boxes.store import BoxStore, Linked
from core.boxes.sweep import allocated
from core.boxes.versions import Version
from core.errors import NotFoundError
from core.model.box import BoxKey
from core.model.work import Work


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """Something that pruning removes."""

    what: str
    bytes: int
    """Bytes that come free."""
    key: BoxKey | None = None
    """For a version of a box."""
    retired: BoxKey | None = None
    """For what is left of boxes that were replaced under this key."""
    download: Path | None = None


def plan(store: BoxStore, names: Sequence[str], linked: Linked) -> list[Removal]:
    """What ``prune`` would remove, of the boxes ``names`` only, or of all with everything that is left over.

    Content that several boxes share comes free with the last of them.
    """
    current, replaced = store.records.all()[0], store.records.all_retired()[0]
    superseded = [
        record
        for record in current
        if (not names or record.key.name in names)
        and not linked.get(record.key)
        and _has_newer(record, current)
    ]
    retired = [
        record
        for record in replaced
        if (not names or record.key.name in names) and not linked.get(record.key)
    ]
    going = {id(record) for record in (*superseded, *retired)}
    staying = [each for each in (*current, *replaced) if id(each) not in going]
    needed = frozenset[str]().union(*(each.blobs for each in staying))
    removals = []
    for record in superseded:
        freed, needed = _freed(record, needed)
        removals.append(Removal(what=f"superseded: {record.key}", bytes=freed, key=record.key))
    for record in retired:
        freed, needed = _freed(record, needed)
        removals.append(Removal(what=f"replaced: {record.key}", bytes=freed, retired=record.key))
    if not names:
        removals += [Removal(what=each.what, bytes=each.size) for each in store.leftovers()]
        removals += _downloads(store)
    return removals


def _has_newer(record: Manifest, all_records: Sequence[Manifest]) -> bool:
    key = record.key
    return any(
        other.key.name == key.name
        and other.key.provider == key.provider
        and canonical(other.key.architecture) == canonical(key.architecture)
        and Version(other.key.version) > Version(key.version)
        for other in all_records
    )


def _freed(record: Manifest, needed: frozenset[str]) -> tuple[int, frozenset[str]]:
    """Bytes that come free with this record, and what is spoken for after it."""
    sizes = {file.blob: file.allocated for file in record.files if file.blob not in needed}
    return sum(sizes.values()), needed | record.blobs


def _downloads(store: BoxStore) -> list[Removal]:
    found = []
    for path in sorted(store.downloads.glob("*.part")):
        lock = try_lock(path.with_suffix(".lock"))
        if lock:
            path.with_suffix(".lock").unlink(missing_ok=True)
            lock.release()
            found.append(Removal(what="an unfinished download", bytes=allocated(path), download=path))
    return found


async def prune(
    store: BoxStore, names: Sequence[str], *, dry_run: bool, linked: Linked, work: Work
) -> dict[str, Any]:
    """Returns {"removed": [{what, bytes}], "freed": bytes, "dry_run": bool}.

    Raises NotFoundError for a name that is not there.
    """
    store.check_names(names)
    removals = await asyncio.to_thread(plan, store, names, linked)
    if not dry_run:
        await asyncio.to_thread(_execute, store, removals, sweep=not names)
    freed = sum(removal.bytes for removal in removals)
    work.note(f"{'would free' if dry_run else 'freed'} {amounts.size(float(freed))}")
    return {
        "removed": [{"what": removal.what, "bytes": removal.bytes} for removal in removals],
        "freed": freed,
        "dry_run": dry_run,
    }


def _execute(store: BoxStore, removals: Sequence[Removal], *, sweep: bool) -> None:
    for removal in removals:
        if removal.key:
            _remove(store, removal.key)
        elif removal.retired:
            store.records.drop_retired(removal.retired)
        elif removal.download:
            _drop_download(removal.download)
    if removals or sweep:
        store.sweep()


def _remove(store: BoxStore, key: BoxKey) -> None:
    try:
        store.remove(key)
    except NotFoundError:
        return


def _drop_download(path: Path) -> None:
    """Unless somebody began to use it just now."""
    lock_path = path.with_suffix(".lock")
    lock = try_lock(lock_path)
    if lock:
        for each in (path, path.with_suffix(".json"), lock_path):
            each.unlink(missing_ok=True)
        lock.release()

"""Every byte of the store read again and compared with what was written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.boxes.hashing import hash_file
from core.boxes.manifest import Manifest, blob_path
from core.boxes.staging import file_system_errors
from core.boxes.store import BoxStore
from core.boxes.threads import Stop, in_thread
from core.errors import BoxwrightError
from core.model.work import Work


async def verify(store: BoxStore, names: Sequence[str], work: Work) -> dict[str, Any]:
    """Read the boxes ``names``, () for all. Returns {"verified": [{box, bytes}]}.

    Raises NotFoundError for a name that is not there, and BoxwrightError that lists what is damaged.
    """
    store.check_names(names)
    records, unreadable = store.records.all()
    damages = [] if names else [error.problem.what for error in unreadable]
    verified = []
    for record in sorted(records, key=lambda record: record.key):
        if names and record.key.name not in names:
            continue
        async with work.step(f"Verify {record.key}") as step:
            damage = await _read_again(store, record, step)
            if damage:
                step.note(damage)
                damages.append(f"{record.key}: {damage}")
            else:
                verified.append({"box": str(record.key), "bytes": _bytes(record)})
    if damages:
        raise BoxwrightError(
            "A box is damaged." if len(damages) == 1 else f"{len(damages)} boxes are damaged.",
            why="\n".join(damages),
            remedy="boxwright box add --force SOURCE, for each of them: box show says where it came from",
        )
    return {"verified": verified}


def _bytes(record: Manifest) -> int:
    return sum(file.size for file in record.files)


async def _read_again(store: BoxStore, record: Manifest, step: Work) -> str:
    """What is wrong with a box, "" where nothing is."""
    stop = Stop()
    total, done = _bytes(record), 0

    def advance(count: int) -> None:
        nonlocal done
        stop.check()
        done += count
        step.progress(done, total, "bytes")

    def read() -> str:
        for file in record.files:
            path = blob_path(store.blobs, file.blob)
            if not path.is_file():
                return f"{file.path} is missing"
            if hash_file(path, advance) != file.blob:
                return f"{file.path} is not what it was when the box was added"
        return ""

    with file_system_errors(store.folder):
        return await in_thread(read, stop)

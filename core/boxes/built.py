"""What a build left becomes a box."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.boxes.disk_images import Image, inspect
from core.boxes.hashing import BLOCK, hash_file
from core.boxes.manifest import Manifest, StoredDisk, StoredFile
from core.boxes.staging import NoSpace, Sink, Staging, is_full
from core.boxes.threads import Stop, in_thread
from core.errors import BoxwrightError, UsageError
from core.model.box import Box, BoxKey
from core.model.work import Work

if TYPE_CHECKING:
    from core.boxes.store import BoxStore

PRIVATE_KEY = "vagrant_private_key"
"""What the private key of a box is called inside it."""


async def put(
    store: BoxStore,
    record: Manifest,
    *,
    disks: Sequence[Path],
    files: Mapping[str, Path],
    private_key: Path | None,
    work: Work,
    linked: Mapping[BoxKey, Sequence[str]] | None,
) -> Box:
    """See :meth:`BoxStore.put_built`; ``record`` lacks only its files and disks."""
    if not disks and not files:
        raise UsageError(f"The box {record.key} is empty.", why="A box needs a disk image or other files.")
    stop = Stop()

    def keep() -> Box:
        images = [(f"disk{number}.img", path, inspect(path)) for number, path in enumerate(disks)]
        sources = {name: path for name, path, _ in images} | dict(files)
        if private_key:
            sources[PRIVATE_KEY] = private_key
        contents, stored = _hash_all(staging, sources, work, stop)
        complete = msgspec.structs.replace(
            record,
            files=tuple(stored),
            disks=tuple(_disk(name, image) for name, _, image in images),
            identity=PRIVATE_KEY if private_key else "",
        )
        box = store.publish(complete, contents, replace=True, linked=linked)
        for source in sources.values():
            source.unlink(missing_ok=True)
        return box

    async with store.staging_folder(work) as staging:
        return await in_thread(keep, stop)


def _disk(name: str, image: Image) -> StoredDisk:
    return StoredDisk(path=name, format=image.format, size=image.size)


def _hash_all(
    staging: Staging, sources: Mapping[str, Path], work: Work, stop: Stop
) -> tuple[dict[str, Path], list[StoredFile]]:
    """Hash every file; what lies on another file system is copied into the staging folder meanwhile."""
    total = sum(path.stat().st_size for path in sources.values())
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        stop.check()
        done += count
        work.progress(done, total, "bytes")

    contents: dict[str, Path] = {}
    files: list[StoredFile] = []
    device = staging.content.stat().st_dev
    for name, path in sources.items():
        if path.is_symlink() or not path.is_file():
            raise BoxwrightError(f"{path} is not a file.", why="Only plain files can be part of a box.")
        status = path.stat()
        if status.st_dev == device:
            digest = hash_file(path, advance)
            contents[name] = path
            files.append(
                StoredFile(path=name, blob=digest, size=status.st_size, allocated=status.st_blocks * 512)
            )
        else:
            with staging.sink(name) as sink:
                _copy(path, sink, advance)
                files.append(sink.finish())
            contents[name] = staging.path(name)
    return contents, files


def _copy(path: Path, sink: Sink, advance: Callable[[int], None]) -> None:
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(BLOCK):
                sink.write(block)
                advance(len(block))
    except OSError as error:
        if is_full(error):
            raise NoSpace(sink.folder, path.stat().st_size) from error
        raise

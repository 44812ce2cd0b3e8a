"""Bytes of an archive on their way: read, hashed and decompressed in threads of their own.

Reading with the archive's checksum is one thread, decompressing another, and whoever takes what
comes out a third; hashing, decompressing and file system calls release the interpreter's lock, so
that they overlap. A few blocks are kept between them, never more.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from core.boxes.checksum import ArchiveHash
from core.boxes.decompress import decompressed
from core.boxes.hashing import BLOCK
from core.boxes.threads import Stop

_DEPTH = 4
"""Blocks between two threads."""

KINDS = {
    b"\x1f\x8b": "gz",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"BZh": "bz2",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}


class Source(Protocol):
    """Where an archive's bytes come from; both methods may wait for more to arrive."""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; b"" at the end."""

    def whole(self) -> Path:
        """The file, once it is complete."""


class LocalFile:
    """An archive that lies on this computer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb", buffering=0)

    def read(self, size: int) -> bytes:
        return self._file.read(size) or b""

    def whole(self) -> Path:
        return self._path

    def close(self) -> None:
        self._file.close()


def kind_of(start: bytes) -> str:
    """What the first bytes (512 or more, where there are as many) say: ``tar``, ``gz``, ``xz``, ``zst``,
    ``bz2``, ``zip``, ``json``, ``html`` or "" for anything else."""
    for magic, kind in KINDS.items():
        if start.startswith(magic):
            return kind
    if start[257:262] == b"ustar" or _has_tar_checksum(start):
        return "tar"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"{":
        return "json"
    if text[:1] == b"<":
        return "html"
    return ""


def _has_tar_checksum(block: bytes) -> bool:
    """Whether this is the header of a tar file from before there was a magic number."""
    if len(block) < 512:
        return False
    digits = block[148:156].strip(b" \0")
    if not digits or any(digit not in b"01234567" for digit in digits):
        return False
    return int(digits, 8) == sum(block[:148]) + sum(block[156:512]) + 8 * 32


class Channel:
    """Blocks handed from a producing thread to a consuming one."""

    def __init__(self, produce: Callable[[], Iterator[bytes]], name: str, stop: Stop) -> None:
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(_DEPTH)
        self._stop = stop
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(produce,), name=name, daemon=True)
        self._thread.start()
        self._ended = False

    def _run(self, produce: Callable[[], Iterator[bytes]]) -> None:
        end: BaseException | None = None
        try:
            for block in produce():
                if not self._put(block):
                    return
        except BaseException as error:
            end = error
        self._put(end)

    def _put(self, item: bytes | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def next(self) -> bytes:
        """The next block; b"" at the end. Raises what the producer raised."""
        while not self._ended:
            self._stop.check()
            try:
                item = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(item, bytes):
                return item
            self._ended = True
            if item is not None:
                raise item
        return b""

    def close(self) -> None:
        """End the producer and wait for it; ``stop`` must be set, or everything read."""
        self._closed.set()
        self._thread.join()


class Pipeline:
    """The decompressed content of an archive, block by block.

    ``start`` is what was read of ``source`` already. ``advance`` is told how many bytes of the
    archive were read. ``stop`` is this pipeline's own: ``close`` sets it.
    """

    def __init__(
        self,
        start: bytes,
        source: Source,
        archive_hash: ArchiveHash,
        advance: Callable[[int], None],
        stop: Stop,
    ) -> None:
        self._stop = stop
        kind = kind_of(start)

        def read() -> Iterator[bytes]:
            block = start
            while block:
                stop.check()
                archive_hash.update(block)
                advance(len(block))
                yield block
                block = source.read(BLOCK)

        self._channels = [Channel(read, "read archive", stop)]
        if kind != "tar":
            raw = self._channels[0]
            self._channels.append(Channel(lambda: decompressed(kind, raw.next), "decompress", stop))

    def next(self) -> bytes:
        """The next block, b"" at the end. Raises DamagedArchive, and what reading the source raises."""
        return self._channels[-1].next()

    def check(self) -> None:
        """Raise Stopped where the content is no longer wanted."""
        self._stop.check()

    def drain(self) -> None:
        """Read what is left of the archive itself, so that its checksum is complete."""
        while self._channels[0].next():
            pass

    def close(self) -> None:
        self._stop.set()
        for channel in reversed(self._channels):
            channel.close()

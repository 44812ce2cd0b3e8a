"""The log of an operation: what its steps wrote in one file, and beside it an index of who wrote which part.

``<id>.log`` holds the bytes as the programs wrote them. ``<id>.index`` holds one entry for each change of
step: step, offset, time (``<IQd``). Both are written at once, so that nothing is lost with the engine.
"""

from __future__ import annotations

import bisect
import errno
import os
import struct
import threading
import time
from pathlib import Path

from core.model.operation import LogSegment

_ENTRY = struct.Struct("<IQd")

SPAN = 5.0
"""Seconds after which a segment ends, though the same step goes on writing: so that times stay of use."""


class OperationLog:
    """Appends; from any thread. Nothing is written, and no file made, before the first byte.

    A full disk does not raise: what could not be written is counted in ``lost``, and ``trouble``
    says why. Later output is tried again.
    """

    def __init__(self, folder: Path, operation: str) -> None:
        self.path = folder / f"{operation}.log"
        self._index_path = index_of(self.path)
        self._lock = threading.Lock()
        self._log = -1
        self._index = -1
        self._size = 0
        self._step = -1
        self._since = 0.0
        self._left = 0
        self._closed = False
        self.lost = 0
        self.trouble = ""

    @property
    def size(self) -> int:
        return self._size

    def write(self, step: int, data: bytes) -> bool:
        """Append what ``step`` wrote. False where some of it was lost."""
        if not data:
            return True
        with self._lock:
            if self._closed:
                return False
            self._left = len(data)
            try:
                if self._log < 0:
                    self._open()
                self._mark(step)
                self._append(data)
            except OSError as error:
                self.lost += self._left
                self.trouble = os.strerror(error.errno) if error.errno else str(error)
                return False
        return True

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for descriptor in (self._log, self._index):
                if descriptor >= 0:
                    os.close(descriptor)
            self._log = self._index = -1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._index = os.open(self._index_path, flags, 0o600) if self._index < 0 else self._index
        self._log = os.open(self.path, flags, 0o600)
        self._size = os.fstat(self._log).st_size

    def _mark(self, step: int) -> None:
        now = time.time()
        if step == self._step and 0 <= now - self._since < SPAN:
            return
        written = os.write(self._index, _ENTRY.pack(step, self._size, now))
        if written < _ENTRY.size:
            # Half an entry would shift all later ones.
            os.ftruncate(self._index, os.fstat(self._index).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._step, self._since = step, now

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._log, view)
            self._size += written
            self._left -= written
            view = view[written:]


def index_of(log: Path) -> Path:
    """The index that belongs to a log."""
    return log.with_suffix(".index")


def read_log(path: Path, offset: int, limit: int) -> tuple[bytes, int]:
    """A part of a log and the size of the whole; empty where there is no log."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, min(offset, size)))
            return file.read(max(0, limit)), size
    except FileNotFoundError:
        return b"", 0


def read_segments(path: Path, start: int = 0, end: int | None = None) -> tuple[LogSegment, ...]:
    """Who wrote which part of a log, in order; cut to the bytes from ``start`` to ``end``.

    Reads only the entries that it needs. Stretches that the index does not know are left out.
    """
    try:
        size = path.stat().st_size
        index = index_of(path).open("rb")
    except FileNotFoundError:
        return ()
    end = size if end is None else min(end, size)
    with index:
        entries = _entries(index.fileno(), start, end)
    segments = []
    for number, (step, offset, when) in enumerate(entries):
        until = entries[number + 1][1] if number + 1 < len(entries) else end
        first, last = max(offset, start), min(until, end)
        if first < last:
            segments.append(LogSegment(step=step, offset=first, length=last - first, time=when))
    return tuple(segments)


def _entries(descriptor: int, start: int, end: int) -> list[tuple[int, int, float]]:
    """The entries of an index from the one that covers ``start`` to the last before ``end``."""
    count = os.fstat(descriptor).st_size // _ENTRY.size

    def offset_of(number: int) -> int:
        offset: int = _ENTRY.unpack(os.pread(descriptor, _ENTRY.size, number * _ENTRY.size))[1]
        return offset

    first = max(0, bisect.bisect_right(range(count), start, key=offset_of) - 1)
    last = bisect.bisect_left(range(count), end, lo=first, key=offset_of)
    raw = os.pread(descriptor, (last - first) * _ENTRY.size, first * _ENTRY.size)
    return list(_ENTRY.iter_unpack(raw[: len(raw) // _ENTRY.size * _ENTRY.size]))


def last_written(folder: Path, operation: str) -> float:
    """When an operation last wrote to its log, 0 where it has none."""
    try:
        return (folder / f"{operation}.log").stat().st_mtime
    except OSError:
        return 0.0


def remove_log(folder: Path, operation: str) -> None:
    path = folder / f"{operation}.log"
    path.unlink(missing_ok=True)
    index_of(path).unlink(missing_ok=True)

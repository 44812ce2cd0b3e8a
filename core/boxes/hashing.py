"""SHA-256 of contents: of a file as a whole, and beside the writing of one."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path

BLOCK = 1 << 20
"""Bytes that are handled at once."""
_THREAD_FROM = 4 * BLOCK
"""Smaller contents are hashed at once: a thread would cost more than it brings."""
_DEPTH = 4


class BackgroundHash:
    """Hashes large contents in a thread of its own. Blocks must not change after ``update``."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0
        self._queue: queue.Queue[bytes | memoryview | None] = queue.Queue(_DEPTH)
        self._thread: threading.Thread | None = None

    def update(self, block: bytes | memoryview) -> None:
        self._size += len(block)
        if self._thread is None and self._size > _THREAD_FROM:
            self._thread = threading.Thread(target=self._run, name="hash", daemon=True)
            self._thread.start()
        if self._thread:
            self._queue.put(block)
        else:
            self._hash.update(block)

    def hexdigest(self) -> str:
        """Of all that was given; nothing more may come."""
        self.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        """End the thread. Harmless when repeated."""
        if self._thread:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (block := self._queue.get()) is not None:
            self._hash.update(block)


def hash_file(path: Path, advance: Callable[[int], None]) -> str:
    """The SHA-256 of a file; ``advance`` is told of every stretch of bytes that was read.

    ``advance`` may raise in order to stop.
    """
    digest = hashlib.sha256()
    buffer = bytearray(BLOCK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
            advance(count)
    return digest.hexdigest()

"""Files that are on the disk, not only in memory, when they are said to be complete."""

from __future__ import annotations

import os
import threading

_EVERY = 64 << 20
"""Bytes after which writing to the disk begins anew."""


class Flusher:
    """Brings a growing file to the disk meanwhile, in a thread, so that the flush at its end is short."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def grew(self, size: int) -> None:
        """The file has ``size`` bytes now."""
        if size - self._begun >= _EVERY and (self._thread is None or not self._thread.is_alive()):
            self._begun = size
            self._thread = threading.Thread(target=self._flush, name="flush", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Flush what is left. Raises OSError also for what failed in between."""
        self.close()
        if self._error:
            raise self._error
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Wait for the thread: afterwards the file may be closed."""
        if self._thread:
            self._thread.join()
            self._thread = None

    def _flush(self) -> None:
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._error = error

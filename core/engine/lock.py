"""Only one engine at a time works on one user's data."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.errors import BusyError


class EngineLock:
    """A lock on ``engine.lock``, held until ``release`` or the end of the process, however that comes."""

    def __init__(self, data: Path) -> None:
        self.path = data / "engine.lock"
        self._descriptor = -1

    def acquire(self) -> None:
        """Raises BusyError, with the process that has it, where another engine runs."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise BusyError(
                "Another engine works on the same data.",
                why=f"{self.path} is held by process {holder or '?'}.",
                remedy="boxwright engine stop",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def lost(self) -> bool:
        """Whether the file that is locked is not the one at the path any more."""
        if self._descriptor < 0:
            return False
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return True
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

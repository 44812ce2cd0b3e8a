"""Space that is kept for the journal, so that on a full disk the commands that free some still work."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SIZE = 8 << 20
"""Bytes that are set aside."""
LOW = 4 << 20
"""With less free than this they are given up."""
PLENTY = 64 << 20
"""With more free than this they are set aside (again)."""


class Reserve:
    """A file of zeros that goes when the disk is nearly full. Without it nothing fails that would not
    have failed anyway, so no error of its own is raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._there = path.exists()

    def tend(self) -> None:
        """Look how full the disk is, and act; takes microseconds, so that every write may begin with it."""
        with contextlib.suppress(OSError):
            status = os.statvfs(self._path.parent)
            free = status.f_bavail * status.f_frsize
            if self._there and free < LOW:
                self._path.unlink(missing_ok=True)
                self._there = False
            elif not self._there and free > PLENTY:
                self._make()

    def _make(self) -> None:
        self._there = True
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, SIZE)
            else:
                os.write(descriptor, bytes(SIZE))
        finally:
            os.close(descriptor)

"""The guest's memory as a file that QEMU maps: keeping a state is a copy of what was ever written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.builds.sparse import copy_into, copy_sparse


class Ram:
    """Memory of ``size`` bytes. Call ``close`` at the end.

    Where the system can, the file has no name and lies in this computer's memory: nothing is written to
    the disk behind the running guest, and it is gone with the last process that has it. Elsewhere it is
    ``file``."""

    def __init__(self, size: int, file: Path) -> None:
        self._file = file
        self._descriptor = -1
        if sys.platform == "linux":
            self._descriptor = os.memfd_create("ram", os.MFD_CLOEXEC)
            os.truncate(self._descriptor, size)

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that QEMU has to be given."""
        return (self._descriptor,) if self._descriptor >= 0 else ()

    @property
    def path(self) -> Path:
        """Where QEMU finds the file."""
        return Path(f"/proc/self/fd/{self._descriptor}") if self._descriptor >= 0 else self._file

    def save(self, target: Path) -> None:
        """Blocks: copy the memory to a new file."""
        copy_sparse(self.path, target)

    def load(self, source: Path) -> None:
        """Blocks: fill the memory, which has to be untouched yet, with what was saved."""
        if self._descriptor < 0:
            copy_sparse(source, self._file)
            return
        with source.open("rb") as read:
            copy_into(read.fileno(), self._descriptor)

    def close(self) -> None:
        """Give it up; QEMU keeps it for as long as it runs."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._file.unlink(missing_ok=True)

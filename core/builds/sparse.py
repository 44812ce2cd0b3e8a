"""Copying files with their holes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_BLOCK = 8 << 20
_APART = frozenset({errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS})
"""What the system answers where it cannot copy from one of the two file systems to the other by itself."""


def copy_sparse(source: Path, target: Path) -> None:
    """A copy that takes no more room than the original; shares blocks where the file system can."""
    with source.open("rb") as read, target.open("xb") as write:
        os.fchmod(write.fileno(), 0o600)
        copy_into(read.fileno(), write.fileno())


def copy_into(read: int, write: int) -> None:
    """The same for two open files; the second one is empty, or nothing but a hole."""
    size = os.fstat(read).st_size
    os.truncate(write, size)
    place = 0
    while place < size:
        try:
            start = os.lseek(read, place, os.SEEK_DATA)
        except OSError:
            return  # only a hole is left
        end = os.lseek(read, start, os.SEEK_HOLE)
        _copy(read, write, start, end)
        place = end


def _copy(read: int, write: int, start: int, end: int) -> None:
    try:
        while start < end:
            count = os.copy_file_range(read, write, min(_BLOCK, end - start), start, start)
            if not count:
                return
            start += count
    except OSError as error:
        if error.errno not in _APART:
            raise
        _send(read, write, start, end)


def _send(read: int, write: int, start: int, end: int) -> None:
    os.lseek(write, start, os.SEEK_SET)
    while start < end:
        count = os.sendfile(write, read, start, min(_BLOCK, end - start))
        if not count:
            return
        start += count

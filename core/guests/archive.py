"""What is sent to a guest: the files of a folder, as a tar archive that is made while it is read."""

from __future__ import annotations

import fnmatch
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from core.guests.errors import TransferError

BLOCK = 256 * 1024
_HOLES = 16 * 1024 * 1024
ITEM = "item"
"""Name of the one file or folder in an archive."""
COMPLETE = "complete"
"""Name of the empty last member: an archive that was cut short has none."""


Advance = Callable[[int], None]


def _ignore(count: int) -> None:
    pass


class Entry(msgspec.Struct, frozen=True):
    """A file, folder or link to be sent: ``name`` is its name in the archive."""

    path: Path
    name: str
    status: os.stat_result


def entries(source: Path, exclude: Sequence[str] = ()) -> Iterator[Entry]:
    """``source`` and what lies in it, folders before their contents; sockets, pipes and devices are left out.

    ``exclude`` are shell patterns, matched against names and against paths relative to ``source``.
    A ``source`` that is itself a link is followed. Raises OSError.
    """
    status = source.stat()
    yield Entry(source, ITEM, status)
    if stat.S_ISDIR(status.st_mode):
        yield from _inside(source, "", exclude)


def _inside(folder: Path, relative: str, exclude: Sequence[str]) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        listed = sorted(found, key=lambda entry: entry.name)
    for entry in listed:
        path = f"{relative}{entry.name}"
        if _excluded(entry.name, path, exclude):
            continue
        status = entry.stat(follow_symlinks=False)
        kind = stat.S_IFMT(status.st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            continue
        yield Entry(Path(entry.path), f"{ITEM}/{path}", status)
        if kind == stat.S_IFDIR:
            yield from _inside(Path(entry.path), path + "/", exclude)


def _excluded(name: str, path: str, patterns: Sequence[str]) -> bool:
    cleaned = [pattern.removeprefix("./").strip("/") for pattern in patterns]
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in cleaned for text in (name, path))


class Measure(msgspec.Struct, frozen=True):
    """Bytes of contents, and whether much of that are holes."""

    size: int
    sparse: bool
    files: int


def measure(source: Path, exclude: Sequence[str] = ()) -> Measure:
    """What there is to send. Raises OSError."""
    size = stored = files = 0
    for entry in entries(source, exclude):
        if stat.S_ISREG(entry.status.st_mode):
            files += 1
            size += entry.status.st_size
            stored += min(entry.status.st_size, entry.status.st_blocks * 512)
    return Measure(size=size, sparse=size - stored > _HOLES, files=files)


def write(
    source: Path,
    file: IO[bytes],
    *,
    mode: int | None = None,
    exclude: Sequence[str] = (),
    advance: Advance = _ignore,
) -> None:
    """Write the archive of ``source`` to ``file``, which needs no more than ``write``.

    ``mode`` replaces the permissions of every file (not of folders). ``advance`` is told how many
    bytes of contents were read. Members belong to nobody in particular: the guest's tar gives them
    to the account that unpacks. Raises OSError, and TransferError for a file that shrinks meanwhile.
    """
    with tarfile.open(fileobj=file, mode="w|", bufsize=BLOCK, format=tarfile.GNU_FORMAT) as tar:
        tar.copybufsize = BLOCK  # type: ignore[attr-defined]
        for entry in entries(source, exclude):
            _add(tar, entry, mode, advance)
        tar.addfile(tarfile.TarInfo(COMPLETE))


def _add(tar: tarfile.TarFile, entry: Entry, mode: int | None, advance: Advance) -> None:
    info = tarfile.TarInfo(entry.name)
    info.mtime = max(0, int(entry.status.st_mtime))
    info.mode = stat.S_IMODE(entry.status.st_mode)
    if stat.S_ISDIR(entry.status.st_mode):
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif stat.S_ISLNK(entry.status.st_mode):
        info.type = tarfile.SYMTYPE
        info.linkname = str(entry.path.readlink())
        tar.addfile(info)
    else:
        if mode is not None:
            info.mode = mode
        with entry.path.open("rb", buffering=0) as file:
            info.size = os.fstat(file.fileno()).st_size
            tar.addfile(info, _Exactly(file, advance, entry.path))  # type: ignore[arg-type]


class _Exactly:
    """A file that is read in full blocks, reports what was read, and says when it turns out shorter."""

    def __init__(self, file: io.FileIO, advance: Advance, path: Path) -> None:
        self._file = file
        self._advance = advance
        self._path = path

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        while len(data) < size:
            more = self._file.read(size - len(data))
            if not more:
                raise TransferError(
                    f"{self._path} became shorter while it was being sent.", remedy="try again"
                )
            data += more
        self._advance(len(data))
        return data

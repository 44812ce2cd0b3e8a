"""Zip archives: their list of contents is at the end, so they are unpacked once they are complete."""

from __future__ import annotations

import posixpath
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from core.boxes.contents import Contents, HostileArchive, safe_name, shown
from core.boxes.decompress import DamagedArchive
from core.boxes.hashing import BLOCK
from core.boxes.limits import Limits
from core.boxes.threads import Stop

_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_LONGEST_COMMENT = 1 << 16
_LONGEST_TARGET = 4096


def unzip(path: Path, contents: Contents, limits: Limits, stop: Stop) -> None:
    """Raises DamagedArchive, HostileArchive and OSError (ENOSPC)."""
    _check_directory(path, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                contents.count()
                if not info.is_dir():
                    _unzip_entry(archive, info, contents, stop)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        EOFError,
        RuntimeError,
        zlib.error,
        struct.error,
    ) as error:
        raise _damaged(str(error)) from error


def _unzip_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, contents: Contents, stop: Stop) -> None:
    name = safe_name(info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        with archive.open(info) as file:
            target = file.read(_LONGEST_TARGET).decode("utf-8", "replace")
        contents.link(name, posixpath.join(posixpath.dirname(name), target))
        return
    if kind not in (0, stat.S_IFREG):
        raise HostileArchive(
            f"The archive holds something that is no file, {shown(name)}.",
            why="A box consists of files; nothing else is unpacked.",
        )
    with contents.sink(name, info.file_size) as sink, archive.open(info) as file:
        size = 0
        while block := file.read(BLOCK):
            stop.check()
            size += len(block)
            if size > info.file_size:
                raise HostileArchive(
                    f"{shown(name)} is larger than the archive says.", why="Its sizes cannot be trusted."
                )
            sink.write(block)
        if size != info.file_size:
            raise _damaged(f"{shown(name)} ends early")
        contents.finish(name, sink)


def _check_directory(path: Path, limits: Limits) -> None:
    """Refuse a list of contents so large that reading it would fill the memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_COMMENT - _END.size))
        tail = file.read()
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise _damaged("its end is missing")
    directory = _END.unpack_from(tail, at)[5]
    if directory > limits.header:
        raise HostileArchive(
            "The list of contents of the zip archive is far too large.",
            why="Reading it would take up the memory of this computer.",
        )


def _damaged(why: str) -> DamagedArchive:
    return DamagedArchive(
        "The zip archive is damaged, incomplete, encrypted or of an unknown kind.",
        why=f"Its reader says: {why}.",
        remedy="get it again, or have the box packed as tar.gz",
    )

"""Tar archives read in one pass: headers by Python's own tarfile, contents without another copy."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any, Self, cast

from core.boxes.contents import HostileArchive, shown
from core.boxes.decompress import DamagedArchive
from core.boxes.hashing import BLOCK
from core.boxes.limits import Limits
from core.boxes.staging import Sink
from core.boxes.streams import Pipeline

_KINDS = {
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "named pipe",
}


_GNU = b"ustar  \0"


class _Header(tarfile.TarInfo):
    """A header whose name is right in GNU's dialect too.

    There the field for the beginning of long names holds the times of last access and change, which
    Python takes for a folder's name.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        times = bytes(buf[345:500]).partition(b"\0")[0].decode(encoding, errors)
        if times and buf[257:265] == _GNU and header.type not in tarfile.GNU_TYPES:
            header.name = header.name.removeprefix(f"{times}/")
        return header


class TarEntry:
    """A file, folder, link or something else in a tar archive."""

    def __init__(self, info: tarfile.TarInfo) -> None:
        self._info = info
        self.name = info.name
        self.size = info.size
        """Bytes of the file, holes included."""
        self.is_folder = info.isdir()
        self.is_file = info.isreg() or info.issparse()
        self.is_link = info.issym() or info.islnk()

    @property
    def kind(self) -> str:
        return _KINDS.get(self._info.type, "special file")

    @property
    def link(self) -> str:
        """What a link leads to, as seen from the top of the archive."""
        target = self._info.linkname
        if self._info.islnk() or target.startswith("/"):
            return target
        folder = self.name.rpartition("/")[0]
        return f"{folder}/{target}" if folder else target

    def stretches(self) -> list[tuple[int, int]]:
        """Where the content belongs that follows in the archive: offset and length, in order.

        Raises HostileArchive for a sparse file whose map is impossible.
        """
        if self._info.sparse is None:
            return [(0, self.size)]
        end = 0
        stretches = []
        for offset, length in cast("list[tuple[int, int]]", self._info.sparse):
            if offset < end or length < 0 or offset + length > self.size:
                raise HostileArchive(
                    f"The map of the sparse file {shown(self.name)} is impossible.",
                    why="Its parts overlap or lie outside of the file.",
                )
            end = offset + length
            stretches.append((offset, length))
        return stretches


class TarStream:
    """Iterate over the entries; ``copy`` the content of one before going on to the next."""

    def __init__(self, pipeline: Pipeline, limits: Limits) -> None:
        self._file = _Forward(pipeline, limits)
        self._limits = limits

    def __iter__(self) -> Iterator[TarEntry]:
        tar: tarfile.TarFile | None = None
        while True:
            self._file.header_left = self._limits.header
            try:
                if tar is None:
                    tar = tarfile.TarFile(
                        fileobj=cast(Any, self._file), errors="surrogateescape", tarinfo=_Header
                    )
                    info = cast(Any, tar).firstmember
                else:
                    self._file.seek(tar.offset)
                    info = _Header.fromtarfile(tar)
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
                info = None
            except (
                tarfile.TarError,
                ValueError,
                ArithmeticError,
                LookupError,
                EOFError,
                RecursionError,
            ) as error:
                raise _damaged(str(error)) from error
            if info is None:
                self._check_end()
                return
            if info.size < 0:
                raise _damaged("a size is negative")
            self._file.seek(info.offset_data)
            self._file.header_left = 0
            yield TarEntry(info)

    def copy(self, sink: Sink, length: int) -> None:
        """The next ``length`` bytes of content go into ``sink``."""
        while length > 0:
            block = self._file.take(min(length, BLOCK))
            if not block:
                raise _damaged("it ends within a file")
            sink.write(block)
            length -= len(block)

    def punch(self, sink: Sink, length: int) -> None:
        """A hole of ``length`` bytes."""
        while length > 0:
            step = min(length, 64 * BLOCK)
            self._file.check()
            sink.hole(step)
            length -= step

    def _check_end(self) -> None:
        """Whatever follows the end is read too, as it belongs to the checksum, but not without limit."""
        left = self._limits.trailing
        while block := self._file.take(BLOCK):
            left -= len(block)
            if left < 0:
                raise HostileArchive(
                    "The archive goes on after its end.",
                    why=f"More than {self._limits.trailing >> 20} MiB follow that belong to nothing.",
                )


class _Forward(io.RawIOBase):
    """The decompressed archive as tarfile wants it: read, tell, and seek forwards only."""

    def __init__(self, pipeline: Pipeline, limits: Limits) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._block = memoryview(b"")
        self._position = 0
        self.header_left = limits.header
        """Bytes that may still be read as headers."""

    def check(self) -> None:
        self._pipeline.check()

    def take(self, most: int) -> memoryview:
        """The next bytes, up to ``most``; none at the end."""
        if not self._block:
            self._block = memoryview(self._pipeline.next())
        taken = self._block[:most]
        self._block = self._block[most:]
        self._position += len(taken)
        return taken

    def read(self, size: int = -1) -> bytes:
        """For headers: as many bytes, unless the archive ends."""
        if size < 0 or size > self.header_left:
            raise HostileArchive(
                "The archive has a header that is far too large.",
                why="Reading it would take up the memory of this computer.",
            )
        self.header_left -= size
        parts = []
        while size > 0 and (part := self.take(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence or offset < self._position:
            raise _damaged("its entries overlap")
        while self._position < offset:
            if not self.take(min(offset - self._position, BLOCK)):
                raise _damaged("it ends early")
        return self._position


def _damaged(why: str) -> DamagedArchive:
    return DamagedArchive(
        "The archive is damaged or incomplete.",
        why=f"As for its tar headers: {why}.",
        remedy="get it again, and compare its checksum with the published one",
    )

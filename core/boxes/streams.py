"""Bytes of an archive on their way: read, hashed and decompressed in threads of their own.

Reading with the archive's checksum is one thread, decompressing another, and whoever takes what
comes out a third; hashing, decompressing and file system calls release the interpreter's lock, so
that they overlap. A few blocks are kept between them, never more.
"""

from __future__ import annotations

import bz2
import lzma
import os
import queue
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, cast

from core.boxes.checksum import ArchiveHash
from core.boxes.staging import BLOCK
from core.boxes.threads import Stop
from core.errors import BoxwrightError

_DEPTH = 4
"""Blocks between two threads."""
_LZMA_MEMORY = 192 << 20
_ZSTD_WINDOW = 1 << 27

KINDS = {
    b"\x1f\x8b": "gz",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"BZh": "bz2",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}


class DamagedArchive(BoxwrightError):
    """An archive that ends early, or holds what no archive can."""


class Source(Protocol):
    """Where an archive's bytes come from; both methods may wait for more to arrive."""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; b"" at the end."""

    def whole(self) -> Path:
        """The file, once it is complete."""


class LocalFile:
    """An archive that lies on this computer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb", buffering=0)

    def read(self, size: int) -> bytes:
        return self._file.read(size) or b""

    def whole(self) -> Path:
        return self._path

    def close(self) -> None:
        self._file.close()


def kind_of(start: bytes) -> str:
    """What the first bytes (512 or more, where there are as many) say: ``tar``, ``gz``, ``xz``, ``zst``,
    ``bz2``, ``zip``, ``json``, ``html`` or "" for anything else."""
    for magic, kind in KINDS.items():
        if start.startswith(magic):
            return kind
    if start[257:262] == b"ustar" or _has_tar_checksum(start):
        return "tar"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"{":
        return "json"
    if text[:1] == b"<":
        return "html"
    return ""


def _has_tar_checksum(block: bytes) -> bool:
    """Whether this is the header of a tar file from before there was a magic number."""
    if len(block) < 512:
        return False
    digits = block[148:156].strip(b" \0")
    if not digits or any(digit not in b"01234567" for digit in digits):
        return False
    return int(digits, 8) == sum(block[:148]) + sum(block[156:512]) + 8 * 32


class Channel:
    """Blocks handed from a producing thread to a consuming one."""

    def __init__(self, produce: Callable[[], Iterator[bytes]], name: str, stop: Stop) -> None:
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(_DEPTH)
        self._stop = stop
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(produce,), name=name, daemon=True)
        self._thread.start()
        self._ended = False

    def _run(self, produce: Callable[[], Iterator[bytes]]) -> None:
        end: BaseException | None = None
        try:
            for block in produce():
                if not self._put(block):
                    return
        except BaseException as error:
            end = error
        self._put(end)

    def _put(self, item: bytes | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def next(self) -> bytes:
        """The next block; b"" at the end. Raises what the producer raised."""
        while not self._ended:
            self._stop.check()
            try:
                item = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(item, bytes):
                return item
            self._ended = True
            if item is not None:
                raise item
        return b""

    def close(self) -> None:
        """End the producer and wait for it; ``stop`` must be set, or everything read."""
        self._closed.set()
        self._thread.join()


class Pipeline:
    """The decompressed content of an archive, block by block.

    ``start`` is what was read of ``source`` already. ``advance`` is told how many bytes of the
    archive were read. ``stop`` is this pipeline's own: ``close`` sets it.
    """

    def __init__(
        self,
        start: bytes,
        source: Source,
        archive_hash: ArchiveHash,
        advance: Callable[[int], None],
        stop: Stop,
    ) -> None:
        self._stop = stop
        kind = kind_of(start)

        def read() -> Iterator[bytes]:
            block = start
            while block:
                stop.check()
                archive_hash.update(block)
                advance(len(block))
                yield block
                block = source.read(BLOCK)

        self._channels = [Channel(read, "read archive", stop)]
        if kind != "tar":
            raw = self._channels[0]
            self._channels.append(Channel(lambda: decompressed(kind, raw), "decompress", stop))

    def next(self) -> bytes:
        """The next block, b"" at the end. Raises DamagedArchive, and what reading the source raises."""
        return self._channels[-1].next()

    def check(self) -> None:
        """Raise Stopped where the content is no longer wanted."""
        self._stop.check()

    def drain(self) -> None:
        """Read what is left of the archive itself, so that its checksum is complete."""
        while self._channels[0].next():
            pass

    def close(self) -> None:
        self._stop.set()
        for channel in reversed(self._channels):
            channel.close()


def decompressed(kind: str, blocks: Channel) -> Iterator[bytes]:
    """What is in a stream of this kind, in blocks of at most about 1 MiB.

    Raises DamagedArchive where it ends early or is no such stream.
    """
    try:
        if kind == "zst":
            yield from _zstd(blocks)
        else:
            yield from _members(kind, blocks)
    except _stream_errors() as error:
        raise _damaged(str(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(str(error)) from error


def _members(kind: str, blocks: Channel) -> Iterator[bytes]:
    """Members of gzip, bzip2 or xz, one after the other; zeros after the last are padding."""
    make = _DECOMPRESSORS[kind]
    data = blocks.next()
    first = True
    while True:
        while data and not first and not data.lstrip(b"\0"):
            data = blocks.next()
        if not data:
            if first:
                raise EOFError("it is empty")
            return
        if not first:
            data = data.lstrip(b"\0")
        member = make()
        while not member.eof:
            if member.needs_input:
                data = data or blocks.next()
                if not data:
                    raise EOFError("it ends early")
            out = member.decompress(data, BLOCK)
            data = b""
            if out:
                yield out
        data = member.unused_data
        first = False


def _gzip_member() -> Any:
    try:
        from isal import igzip_lib
    except ImportError:
        return _ZlibMember()
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


class _ZlibMember:
    """zlib's decompressor with the methods of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, most)


_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gz": _gzip_member,
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY),
}


def _zstd(blocks: Channel) -> Iterator[bytes]:
    """The library takes a stream that was cut for a complete one. So a frame of our own is put after
    the end: only when the last frame is complete its content comes out last."""
    import zstandard

    mark = os.urandom(16)
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    source: Any = _WithMark(blocks, zstandard.ZstdCompressor().compress(mark))
    tail = b""
    with decompressor.stream_reader(source, read_size=BLOCK, read_across_frames=True) as reader:
        while block := reader.read(BLOCK):
            whole = tail + block
            tail = whole[-len(mark) :]
            if len(whole) > len(mark):
                yield whole[: -len(mark)]
    if tail != mark:
        raise EOFError("it ends early")


class _WithMark:
    def __init__(self, blocks: Channel, mark: bytes) -> None:
        self._blocks = blocks
        self._mark = mark

    def read(self, size: int) -> bytes:
        block = self._blocks.next()
        if not block:
            block, self._mark = self._mark, b""
        return block


def _stream_errors() -> tuple[type[Exception], ...]:
    """What the libraries raise for a damaged stream."""
    import zstandard

    found: tuple[type[Exception], ...] = (zlib.error, lzma.LZMAError, EOFError, ValueError)
    found += (cast("type[Exception]", zstandard.ZstdError),)
    try:
        from isal import igzip_lib
    except ImportError:
        return found
    return (*found, cast("type[Exception]", igzip_lib.IsalError))


def _damaged(why: str) -> DamagedArchive:
    return DamagedArchive(
        "The archive is damaged or incomplete.",
        why=f"It cannot be decompressed: {why}.",
        remedy="get it again, and compare its checksum with the published one",
    )

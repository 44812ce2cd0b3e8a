"""Decompression of gzip, xz, zstd and bzip2 in bounded blocks, however much a block may grow."""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

from core.boxes.hashing import BLOCK
from core.errors import BoxwrightError

_LZMA_MEMORY = 192 << 20
_ZSTD_WINDOW = 1 << 27

Blocks = Callable[[], bytes]
"""Gives the next bytes of the stream, b"" at its end."""


class DamagedArchive(BoxwrightError):
    """An archive that ends early, or holds what no archive can."""


def decompressed(kind: str, blocks: Blocks) -> Iterator[bytes]:
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


def _members(kind: str, blocks: Blocks) -> Iterator[bytes]:
    """Members of gzip, bzip2 or xz, one after the other; zeros after the last are padding."""
    make = _DECOMPRESSORS[kind]
    data = blocks()
    first = True
    while True:
        while data and not first and not data.lstrip(b"\0"):
            data = blocks()
        if not data:
            if first:
                raise EOFError("it is empty")
            return
        if not first:
            data = data.lstrip(b"\0")
        member = make()
        while not member.eof:
            if member.needs_input:
                data = data or blocks()
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


def _zstd(blocks: Blocks) -> Iterator[bytes]:
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
    def __init__(self, blocks: Blocks, mark: bytes) -> None:
        self._blocks = blocks
        self._mark = mark

    def read(self, size: int) -> bytes:
        block = self._blocks()
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

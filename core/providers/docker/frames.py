"""Two outputs in one stream, as Docker mixes them where there is no terminal."""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader
from collections.abc import AsyncIterator

_BLOCK = 64 * 1024
_HEADER = 8
_STDERR = 2
_KINDS = (0, 1, 2, 3)


async def outputs(reader: StreamReader, *, tty: bool) -> AsyncIterator[tuple[bytes, bool]]:
    """Blocks of output as they come, and whether each is of the standard error.

    Nothing is kept: a reader that is slow holds back whoever writes. Raises OSError where the stream breaks.
    """
    if tty:
        while data := await reader.read(_BLOCK):
            yield data, False
        return
    while True:
        try:
            header = await reader.readexactly(_HEADER)
        except IncompleteReadError as error:
            if error.partial:
                raise ConnectionResetError("the stream ends in the middle of a frame") from error
            return
        if header[0] not in _KINDS or header[1:4] != b"\0\0\0":
            raise ConnectionResetError("the stream is not framed as Docker frames it")
        left = int.from_bytes(header[4:], "big")
        while left:
            data = await reader.read(min(left, _BLOCK))
            if not data:
                raise ConnectionResetError("the stream ends in the middle of a frame")
            left -= len(data)
            yield data, header[0] == _STDERR

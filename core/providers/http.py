"""Just enough HTTP for a daemon's API: one request a connection, answers as they stream in.

A general client takes some milliseconds of a processor for each call, which is most of what an engine does
while many containers come up at once.
"""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

_BLOCK = 64 * 1024
_HEADERS = 200
"""An answer with more lines than this before its body is no daemon's."""


class Strange(OSError):
    """The other side does not speak HTTP."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    method: str
    path: str
    """As it goes over the wire: quoted."""
    host: str = "localhost"
    """What the other side is called: proxies in between go by it."""
    query: Mapping[str, Any] = {}
    """Values that are mappings or lists are sent as JSON, as Docker's filters are."""
    headers: Mapping[str, str] = {}
    body: Any = None
    """Sent as JSON."""
    upload: AsyncIterator[bytes] | None = None
    """Sent as it comes, instead of ``body``; in chunks, where ``headers`` do not say its length."""
    upgrade: bool = False
    """The connection is to become a plain stream of bytes."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: Mapping[str, str]
    """Names in small letters."""

    @property
    def upgraded(self) -> bool:
        """Docker says 101; very old ones 200 with a media type of its own."""
        return self.status == 101 or "raw-stream" in self.headers.get("content-type", "")


async def send(writer: StreamWriter, request: Request) -> None:
    """Raises OSError where the other side closes before it has all."""
    body = b"" if request.body is None else msgspec.json.encode(request.body)
    headers = {"Host": request.host, "User-Agent": "boxwright", **request.headers}
    if request.upgrade:
        headers |= {"Connection": "Upgrade", "Upgrade": "tcp"}
    else:
        headers["Connection"] = "close"
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    chunked = request.upload is not None and "Content-Length" not in headers
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    elif request.upload is None:
        headers["Content-Length"] = str(len(body))
    lines = [f"{request.method} {_target(request)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    if request.upload is not None:
        async for block in request.upload:
            if block:
                writer.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
                await writer.drain()
        if chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()


def _target(request: Request) -> str:
    fields = {name: _value(value) for name, value in request.query.items() if value is not None}
    return request.path + (f"?{urlencode(fields)}" if fields else "")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return msgspec.json.encode(value).decode() if isinstance(value, (Mapping, list, tuple)) else str(value)


async def head(reader: StreamReader) -> Answer:
    """Status and headers. Raises OSError where the connection ends, Strange for what is no HTTP."""
    first = (await reader.readline()).decode("latin-1").split(None, 2)
    if not first:
        raise ConnectionResetError("the daemon closed the connection")
    if len(first) < 2 or not first[0].startswith("HTTP/") or not first[1].isdecimal():
        raise Strange(f"It does not speak HTTP: {' '.join(first)[:80]!r}.")
    headers: dict[str, str] = {}
    for _ in range(_HEADERS):
        line = (await reader.readline()).decode("latin-1").rstrip("\r\n")
        if not line:
            return Answer(status=int(first[1]), headers=headers)
        name, _colon, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    raise Strange("Its answer has headers without end.")


async def body(reader: StreamReader, answer: Answer) -> AsyncIterator[bytes]:
    """The answer's body in blocks. Raises OSError where it ends too early."""
    if answer.status == 204 or answer.status == 304:
        return
    if "chunked" in answer.headers.get("transfer-encoding", ""):
        while size := _chunk_size(await reader.readline()):
            while size:
                block = await reader.read(min(size, _BLOCK))
                if not block:
                    raise ConnectionResetError("the daemon closed the connection in the middle of an answer")
                size -= len(block)
                yield block
            await reader.readline()
        return
    left = int(answer.headers.get("content-length", -1))
    while left and (block := await reader.read(min(left, _BLOCK) if left > 0 else _BLOCK)):
        left -= len(block) if left > 0 else 0
        yield block
    if left > 0:
        raise ConnectionResetError("the daemon closed the connection in the middle of an answer")


async def whole(reader: StreamReader, answer: Answer) -> bytes:
    """All of the answer's body. Raises OSError where it ends too early."""
    return b"".join([block async for block in body(reader, answer)])


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise ConnectionResetError("the daemon closed the connection in the middle of an answer") from None

"""The REST interface of LXD and Incus, as one server offers it to one project.

Plain HTTP of our own, one connection for each call, as for Docker: it can be cancelled, and costs a tenth of
what httpx needed. pylxd blocks, and brings requests, requests-toolbelt and ws4py along, for classes around
the same few calls. For the streams (commands, consoles, events) there is ``websockets``: without dependencies
of its own, well kept, BSD-licensed; it holds a sender back when nobody reads, which wsproto leaves to its
user. Its import costs some 130 ms, so it waits for the first stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from core.model.work import Work
from core.providers import http
from core.providers.http import Answer, Request
from core.providers.lxd import troubles, trust
from core.providers.lxd.place import Place
from core.providers.lxd.troubles import LxdError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

PATIENCE = 20.0
"""Seconds for an answer that needs no work."""

SLOW = 600.0
"""Seconds for operations that copy or unpack."""

SETTLE = 20.0
"""Seconds that a cancelled operation of the server is waited for: in the middle of it, nothing is undone."""

BUSY = 20.0
"""Seconds for the server to be through with an instance that it is busy with."""

FINISH = 3.0
"""Seconds that a cancelled call is waited for: one that is abandoned may hold up LXD's database."""

LIMIT = 256 * 1024
"""Bytes that may wait to be read."""

_T = TypeVar("_T")


class _Answer(msgspec.Struct):
    """What every answer is wrapped in."""

    type: str = ""
    error: str = ""
    error_code: int = 0
    metadata: Any = None
    operation: str = ""


class Connection:
    """Methods raise LxdError. Nothing stays open between calls."""

    def __init__(self, place: Place, tls: ssl.SSLContext | None = None) -> None:
        """``tls``: for a server elsewhere, where it is not the usual one."""
        self.place = place
        self._tls = tls

    async def ask(self, method: str, path: str, *, timeout: float | None = None, **rest: Any) -> Any:
        """One call that is answered at once; returns what it says. ``rest``: see :meth:`_send`."""
        return (await self._call(method, path, timeout or PATIENCE, **rest)).metadata

    async def find(self, path: str) -> Any | None:
        """What there is at ``path``, or None."""
        try:
            return await self.ask("GET", path)
        except LxdError as error:
            if error.status == 404:
                return None
            raise

    async def operate(self, method: str, path: str, *, timeout: float = SLOW, **rest: Any) -> dict[str, Any]:
        """A call that starts an operation of the server's, to its end.

        When cancelled, what runs at the server is waited for first: it cannot be undone before.
        """
        until = time.monotonic() + BUSY
        while True:
            try:
                return await _settled(self._operation(method, path, timeout, rest), SETTLE)
            except LxdError as error:
                # The server is still at the end of something else, e.g. of a guest that has halted.
                if "Instance is busy" not in error.problem.why or time.monotonic() > until:
                    raise
            await asyncio.sleep(0.1)

    async def _operation(
        self, method: str, path: str, timeout: float, rest: Mapping[str, Any]
    ) -> dict[str, Any]:
        answer = await self._call(method, path, timeout, **rest)
        if answer.type != "async":
            return {}
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            # A server that hangs is noticed by its silence at the end of each turn.
            turn = max(1, int(min(left, PATIENCE)))
            found = await self._call(
                "GET", f"{_bare(answer.operation)}/wait", turn + PATIENCE, query={"timeout": turn}
            )
            state: dict[str, Any] = found.metadata or {}
            if state.get("status_code") == 200:
                return state
            if state.get("status_code", 0) >= 400:
                raise troubles.refused(self.place, 400, str(state.get("err") or state.get("status")))
        raise troubles.hanging(self.place, timeout)

    async def begin(self, path: str, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Start an operation that talks over websockets; returns its path and what it says of itself."""
        answer = await self._call("POST", path, PATIENCE, body=body)
        return _bare(answer.operation), answer.metadata or {}

    async def text(self, path: str) -> bytes:
        """What the server keeps as it is, e.g. the log of a console; b"" where that is nothing."""
        status, content = await self._send("GET", path, PATIENCE)
        return content if status == 200 else b""

    async def download(self, path: str, target: Path, work: Work) -> None:
        """What is at ``path`` into a new file; the server may be silent for a while only."""
        done = 0
        now = asyncio.get_running_loop().time
        try:
            async with (
                asyncio.timeout(PATIENCE) as silence,
                self._open(self._request("GET", path)) as (answer, reader),
            ):
                if answer.status != 200:
                    self._read(answer.status, await http.whole(reader, answer))
                with target.open("xb") as file:
                    async for block in http.body(reader, answer):
                        await asyncio.to_thread(file.write, block)
                        done += len(block)
                        work.progress(done, None, "bytes")
                        silence.reschedule(now() + PATIENCE)
        except TimeoutError:
            raise troubles.hanging(self.place, PATIENCE) from None
        except OSError as error:
            raise troubles.unreachable(self.place, error) from error

    async def _call(self, method: str, path: str, timeout: float, **rest: Any) -> _Answer:
        return self._read(*await _settled(self._send(method, path, timeout, **rest), FINISH))

    def _request(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None, **rest: Any
    ) -> Request:
        """``rest``: ``body``, which is sent as JSON, or ``upload`` with its ``headers``."""
        fields = {"project": self.place.project, **(query or {})}
        return Request(method=method, path=path, host=self.place.host, query=fields, **rest)

    async def _send(self, method: str, path: str, timeout: float, **rest: Any) -> tuple[int, bytes]:
        """``rest``: see :meth:`_request`."""
        request = self._request(method, path, **rest)
        try:
            async with asyncio.timeout(timeout), self._open(request) as (answer, reader):
                return answer.status, await http.whole(reader, answer)
        except TimeoutError:
            raise troubles.hanging(self.place, timeout) from None
        except OSError as error:
            raise troubles.unreachable(self.place, error) from error

    def _read(self, status: int, content: bytes) -> _Answer:
        try:
            answer = msgspec.json.decode(content, type=_Answer)
        except msgspec.DecodeError as error:
            raise LxdError(
                f"{self.place.server} does not answer as LXD or Incus does.", code=status, why=str(error)
            ) from error
        if answer.type == "error" or status >= 400:
            raise troubles.refused(self.place, answer.error_code or status, answer.error)
        return answer

    @contextlib.asynccontextmanager
    async def _open(self, request: Request) -> AsyncIterator[tuple[Answer, StreamReader]]:
        """An answer, its body still to be read. Raises OSError."""
        reader, writer = await self._dial()
        try:
            try:
                await http.send(writer, request)
            except (BrokenPipeError, ConnectionResetError):
                # A server that has had enough of an upload says why before it closes.
                if request.upload is None:
                    raise
            yield await http.head(reader), reader
        finally:
            writer.close()

    async def _dial(self) -> tuple[StreamReader, StreamWriter]:
        if not self.place.remote:
            return await asyncio.open_unix_connection(self.place.server, limit=LIMIT)
        context = await self._context()
        host, port = self.place.address
        return await asyncio.open_connection(host, port, ssl=context, limit=LIMIT)

    async def socket(self, path: str, query: Mapping[str, str]) -> ClientConnection:
        """Open a websocket. Raises LxdError."""
        from websockets.asyncio.client import connect, unix_connect
        from websockets.exceptions import WebSocketException

        words = "&".join(f"{key}={quote(value)}" for key, value in query.items())
        options: dict[str, Any] = {
            "compression": None,
            "max_size": None,
            "open_timeout": PATIENCE,
            "close_timeout": 2,
            "ping_interval": None,
        }
        try:
            if self.place.remote:
                host, port = self.place.address
                address = f"wss://{f'[{host}]' if ':' in host else host}:{port}{path}?{words}"
                return await connect(address, ssl=await self._context(), proxy=None, **options)
            return await unix_connect(self.place.server, f"ws://lxd{path}?{words}", **options)
        except (OSError, TimeoutError, WebSocketException) as error:
            raise troubles.unreachable(self.place, error) from error

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(trust.context_for, self.place)
        return self._tls


async def _settled(call: Coroutine[Any, Any, _T], patience: float) -> _T:
    """Await ``call``; when cancelled, give it so many seconds to come to its end."""
    running = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running], timeout=patience)
        if not running.done():
            running.cancel()
        elif not running.cancelled():
            running.exception()
        raise


def _bare(operation: str) -> str:
    """The path of an operation without the project, which is asked for with each call."""
    return operation.partition("?")[0]


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


async def read_file(path: Path, first: bytes, last: bytes, said: Any) -> AsyncIterator[bytes]:
    """A file between two pieces of text, block by block; ``said`` is told how much was read of it."""
    yield first
    done = 0
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, 1 << 20):
            yield block
            done += len(block)
            said(done)
    yield last

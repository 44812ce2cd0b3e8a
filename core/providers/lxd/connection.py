"""The REST interface of LXD and Incus, as one server offers it to one project.

Plain HTTP by httpx, which Boxwright has anyway: it speaks over Unix sockets, is typed, and can be cancelled.
pylxd blocks, and brings requests, requests-toolbelt and ws4py along, for classes around the same few calls.
For the streams (commands, consoles, events) there is ``websockets``: without dependencies of its own, well
kept, BSD-licensed; it holds a sender back when nobody reads, which wsproto leaves to its user. Their
imports cost some 130 ms each, so both wait for the first call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from core.model.work import Work
from core.providers.lxd import troubles, trust
from core.providers.lxd.place import Place
from core.providers.lxd.troubles import LxdError

if TYPE_CHECKING:
    import httpx
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

    def __init__(self, place: Place) -> None:
        self.place = place
        self._client: httpx.AsyncClient | None = None

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
                "GET", f"{answer.operation}/wait", turn + PATIENCE, query={"timeout": turn}
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
        return answer.operation.partition("?")[0], answer.metadata or {}

    async def text(self, path: str) -> bytes:
        """What the server keeps as it is, e.g. the log of a console; b"" where that is nothing."""
        status, content = await self._send("GET", path, PATIENCE)
        return content if status == 200 else b""

    async def download(self, path: str, target: Path, work: Work) -> None:
        """What is at ``path`` into a new file."""
        import httpx

        client = self._client or await self._open()
        done = 0
        try:
            async with client.stream(
                "GET", path, params={"project": self.place.project}, timeout=PATIENCE
            ) as response:
                if response.status_code != 200:
                    self._read(response.status_code, await response.aread())
                with target.open("xb") as file:
                    async for block in response.aiter_bytes(1 << 20):
                        await asyncio.to_thread(file.write, block)
                        done += len(block)
                        work.progress(done, None, "bytes")
        except (httpx.HTTPError, OSError) as error:
            raise troubles.unreachable(self.place, error) from error

    async def _call(self, method: str, path: str, timeout: float, **rest: Any) -> _Answer:
        return self._read(*await _settled(self._send(method, path, timeout, **rest), FINISH))

    async def _send(
        self,
        method: str,
        path: str,
        timeout: float,
        *,
        body: Any = None,
        query: Mapping[str, str | int] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """``body`` is sent as JSON, ``content`` as it is."""
        import httpx

        client = self._client or await self._open()
        data = msgspec.json.encode(body) if body is not None else content
        try:
            async with asyncio.timeout(timeout):
                response = await client.request(
                    method,
                    path,
                    params={"project": self.place.project, **(query or {})},
                    content=data,
                    headers=dict(headers or {}),
                    timeout=None,
                )
        except TimeoutError:
            raise troubles.hanging(self.place, timeout) from None
        except (httpx.HTTPError, OSError) as error:
            raise troubles.unreachable(self.place, error) from error
        return response.status_code, response.content

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

    async def _open(self) -> httpx.AsyncClient:
        import httpx

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        if self.place.remote:
            context = await asyncio.to_thread(trust.context_for, self.place)
            transport = httpx.AsyncHTTPTransport(verify=context, limits=limits, trust_env=False)
            base = self.place.server
        else:
            transport = httpx.AsyncHTTPTransport(uds=self.place.server, limits=limits)
            base = "http://lxd"
        self._client = self._client or httpx.AsyncClient(
            transport=transport, base_url=base, trust_env=False, headers={"User-Agent": "boxwright"}
        )
        return self._client

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
                context = await asyncio.to_thread(trust.context_for, self.place)
                address = f"wss{self.place.server.removeprefix('https')}{path}?{words}"
                return await connect(address, ssl=context, proxy=None, **options)
            return await unix_connect(self.place.server, f"ws://lxd{path}?{words}", **options)
        except (OSError, TimeoutError, WebSocketException) as error:
            raise troubles.unreachable(self.place, error) from error

    async def close(self) -> None:
        client, self._client = self._client, None
        if client:
            await client.aclose()


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

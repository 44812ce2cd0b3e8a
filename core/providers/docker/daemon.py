"""A Docker daemon: its API, called on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio import StreamReader
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from core.providers import http
from core.providers.docker.address import Address
from core.providers.docker.troubles import DockerError, refused, silent, unreachable
from core.providers.docker.wire import Streams, dial, explained, hang_up
from core.providers.http import Answer, Request
from core.providers.images import finish

PATIENCE = 30.0
"""Seconds for the answer to an ordinary call."""

SPOKEN = (1, 47)
"""The newest API that this speaks; an older daemon is spoken to in its own."""

OLDEST = (1, 40)
"""Docker 19.03."""


class Daemon:
    """Calls raise DockerError. Each has a connection of its own, and ends when it is cancelled."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._about: dict[str, Any] | None = None
        self._asking = asyncio.Lock()

    async def about(self) -> Mapping[str, Any]:
        """What the daemon says of itself: ``Version``, ``ApiVersion``, ``Arch``, ``Os``."""
        async with self._asking:
            if self._about is None:
                found = await self._ask(Request(method="GET", path="/version"), PATIENCE)
                if not isinstance(found, dict) or "ApiVersion" not in found:
                    raise DockerError(f"What answers at {self.address.url} is not Docker.")
                self._about = found
            return self._about

    async def api(self) -> tuple[int, int]:
        """Raises DockerError for a daemon that is too old."""
        about = await self.about()
        spoken = api_version(about["ApiVersion"])
        if spoken < OLDEST:
            raise DockerError(
                f"Docker {about.get('Version', '')} is too old.",
                why="The oldest that works is 19.03.",
                remedy="upgrade Docker on that computer",
            )
        return min(SPOKEN, spoken)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = PATIENCE,
        waits: bool = False,
    ) -> Any:
        """One call; what it answers, None for nothing. ``timeout`` in seconds, None for no limit.

        One that changes something is waited for when it is cancelled, as the daemon goes on with it: nothing
        may happen behind the back of whoever undoes it. ``waits``: this one changes nothing, whatever its
        method, and is given up at once.
        """
        request = await self.request(method, path, query=query, body=body, headers=headers)
        if method == "GET" or waits:
            return await self._ask(request, timeout)
        return await finish(self._ask(request, timeout))

    async def request(self, method: str, path: str, **more: Any) -> Request:
        major, minor = await self.api()
        fields = {name: value for name, value in more.items() if value is not None}
        return Request(method=method, path=quote(f"/v{major}.{minor}{path}", safe="/:"), **fields)

    async def _ask(self, request: Request, timeout: float | None) -> Any:
        try:
            async with asyncio.timeout(timeout), self.open(request) as (answer, reader):
                data = await http.whole(reader, answer)
        except TimeoutError as error:
            raise silent(self.address, timeout or 0) from error
        except OSError as error:
            raise unreachable(self.address, error) from error
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except ValueError:
            return data.decode(errors="replace")

    @contextlib.asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[tuple[Answer, StreamReader]]:
        """An answer that was not refused, its body still to be read. Raises DockerError and OSError."""
        reader, writer = await dial(self.address)
        try:
            try:
                await http.send(writer, request)
            except (BrokenPipeError, ConnectionResetError) as error:
                # A daemon that has had enough says why before it closes.
                if request.upload is None:
                    raise await explained(reader, error) from error
            answer = await self._head(reader)
            await _accepted(answer, reader)
            yield answer, reader
        finally:
            writer.close()

    async def _head(self, reader: StreamReader) -> Answer:
        try:
            return await http.head(reader)
        except OSError as error:
            raise await explained(reader, error) from error

    async def stream(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body of an answer as it comes. Raises DockerError, also when the daemon goes away."""
        try:
            async with self.open(request) as (answer, reader):
                async for block in http.body(reader, answer):
                    yield block
        except OSError as error:
            raise unreachable(self.address, error) from error

    async def messages(self, request: Request) -> AsyncIterator[dict[str, Any]]:
        """The JSON documents of an answer, one by one as they come. Raises DockerError."""
        async with contextlib.aclosing(self.stream(request)) as blocks:
            async for document in self.documents(blocks):
                yield document

    async def documents(self, blocks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
        rest = b""
        async for block in blocks:
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if line.strip():
                    yield _document(line)
        if rest.strip():
            yield _document(rest)

    async def attach(self, request: Request) -> Streams:
        """A connection that has become a stream of bytes. Raises DockerError."""
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await dial(self.address)
                await http.send(writer, msgspec.structs.replace(request, upgrade=True))
                answer = await self._head(reader)
                if not answer.upgraded:
                    await _accepted(answer, reader)
                return reader, writer
        except BaseException as error:
            if writer is not None:
                await hang_up(writer)
            if isinstance(error, TimeoutError):
                raise silent(self.address, PATIENCE) from error
            if isinstance(error, OSError):
                raise unreachable(self.address, error) from error
            raise


def api_version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


async def _accepted(answer: Answer, reader: StreamReader) -> None:
    if answer.status < 400:
        return
    data = await http.whole(reader, answer)
    try:
        text = json.loads(data)["message"]
    except (ValueError, KeyError, TypeError):
        text = data.decode(errors="replace")
    raise refused(answer.status, str(text))


def _document(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DockerError("Docker's answer cannot be understood.", why=repr(line[:200]))
    return found

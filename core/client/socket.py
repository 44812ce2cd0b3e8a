"""The engine's client for an event loop, over its socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from core.client import decoding
from core.client.base import SerialLine
from core.client.channel import EngineGoneError
from core.client.connecting import connect
from core.engine.protocol import (
    MOST_ANSWER,
    Answer,
    Ask,
    Cancel,
    Failed,
    First,
    FrameError,
    Goodbye,
    News,
    OpenSerial,
    ReadStats,
    Refresh,
    Reply,
    Request,
    Stop,
    Submit,
    Subscribe,
    check_length,
    pack,
    raw,
)
from core.errors import NotFoundError, RemoteError
from core.model.event import Event, Snapshot
from core.paths import Locations, locations

if TYPE_CHECKING:
    from typing import Self

    from core.model import query as queries
    from core.model.command import Command
    from core.model.machine import MachineKey

AGAIN = 1.0
"""Seconds between two looks for a new engine, after one that was stopped on purpose."""

_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_events = decoding.EventDecoder()


class _Stream:
    """A connection over which whole messages go."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, where: Locations, *, start: bool) -> Self:
        # The exchange of versions is the blocking client's, in a thread: it may have to start an engine.
        channel, _ = await asyncio.to_thread(connect, where, start=start)
        channel.socket.setblocking(False)
        return cls(*await asyncio.open_unix_connection(sock=channel.socket))

    async def send(self, message: Request) -> None:
        try:
            self.writer.write(pack(message))
            await self.writer.drain()
        except ConnectionError as error:
            raise EngineGoneError(str(error)) from None

    async def receive(self) -> Answer:
        try:
            header = await self.reader.readexactly(4)
            body = await self.reader.readexactly(check_length(header, MOST_ANSWER))
            message = _answer.decode(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise EngineGoneError from None
        except (FrameError, msgspec.DecodeError) as error:
            raise EngineGoneError(f"What it said cannot be understood: {error}") from None
        if isinstance(message, Failed) and not message.id:
            raise RemoteError(message.problem)
        return message

    def close(self) -> None:
        self.writer.close()


class SocketClient:
    """Implements :class:`core.client.base.Client`. Connects on first use, and again when the engine was
    replaced or has ended meanwhile; each subscription and serial console has a connection of its own."""

    def __init__(self, where: Locations | None = None, *, start: bool = True) -> None:
        self.where = where or locations()
        self._start = start
        self._stream: _Stream | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._number = 0

    async def submit(self, command: Command) -> str:
        return str(msgspec.msgpack.decode(await self._call(Submit(self._next(), raw(command)))))

    async def cancel(self, operation: str) -> None:
        await self._call(Cancel(self._next(), operation))

    async def query(self, query: queries.Query) -> queries.Answer:
        return decoding.answer(query, await self._call(Ask(self._next(), raw(query))))

    async def refresh(self, project: str = "") -> None:
        await self._call(Refresh(self._next(), project))

    async def stats(self, machine: MachineKey) -> object:
        return decoding.stats(await self._call(ReadStats(self._next(), machine.project, machine.name)))

    async def stop(self, *, force: bool = False, wait: bool = False) -> None:
        """See ``BlockingClient.stop``."""
        await self._call(Stop(self._next(), force, wait))

    async def subscribe(self, since: int = 0) -> AsyncIterator[Snapshot | Event]:
        """Goes on with the next engine when one crashed (which is then started again), was replaced, or was
        stopped (as soon as somebody starts it); then a Snapshot comes again."""
        start = self._start
        while True:
            try:
                stream = await _Stream.open(self.where, start=start)
            except NotFoundError:
                if not self._start:
                    raise
                await asyncio.sleep(AGAIN)
                continue
            try:
                await stream.send(Subscribe(1, since))
                while not isinstance(message := await stream.receive(), Goodbye):
                    for item in _items(message):
                        since = item.seq
                        yield item
                start = False
            except EngineGoneError:
                start = self._start
                if not start:
                    raise
            finally:
                stream.close()

    async def serial(self, machine: MachineKey) -> SerialLine:
        stream = await _Stream.open(self.where, start=self._start)
        try:
            await stream.send(OpenSerial(1, machine.project, machine.name))
            message = await stream.receive()
            if isinstance(message, Failed):
                raise RemoteError(message.problem)
        except BaseException:
            stream.close()
            raise
        return _SocketSerial(stream)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _call(self, request: Submit | Cancel | Ask | Refresh | ReadStats | Stop) -> msgspec.Raw:
        stream = await self._connected()
        future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            await stream.send(request)
            return await future
        finally:
            self._waiting.pop(request.id, None)

    async def _connected(self) -> _Stream:
        async with self._opening:
            if self._stream is None:
                self._stream = await _Stream.open(self.where, start=self._start)
                self._reader = asyncio.create_task(self._read(self._stream))
            return self._stream

    async def _read(self, stream: _Stream) -> None:
        """Hand answers to those who wait for them, until the connection ends."""
        failure: Exception = EngineGoneError()
        try:
            while not isinstance(message := await stream.receive(), Goodbye):
                number = getattr(message, "id", 0)
                future = self._waiting.pop(number, None)
                if future is None or future.done():
                    continue
                if isinstance(message, Reply):
                    future.set_result(message.result)
                elif isinstance(message, Failed):
                    future.set_exception(RemoteError(message.problem))
            failure = EngineGoneError(message.why)
        except (EngineGoneError, RemoteError) as error:
            failure = error
        finally:
            stream.close()
            if self._stream is stream:
                self._stream = None
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(failure)


class _SocketSerial:
    """Implements :class:`core.client.base.SerialLine`."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    async def read(self) -> bytes:
        with contextlib.suppress(ConnectionError):
            return await self._stream.reader.read(65536)
        return b""

    async def write(self, data: bytes) -> None:
        self._stream.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self._stream.writer.drain()

    async def close(self) -> None:
        self._stream.close()


def _items(message: Answer) -> list[Snapshot] | list[Event]:
    if isinstance(message, First):
        return [decoding.snapshot(message.snapshot)]
    if isinstance(message, News):
        return _events.events(message.events)
    if isinstance(message, Failed):
        raise RemoteError(message.problem)
    return []

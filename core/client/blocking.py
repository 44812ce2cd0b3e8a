"""The engine's client for the command line: plain sockets, no event loop, few imports."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from core.client import decoding
from core.client.channel import Channel, EngineGoneError
from core.client.connecting import connect
from core.engine.protocol import (
    Ask,
    Cancel,
    Failed,
    First,
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
    Welcome,
    raw,
)
from core.errors import NotFoundError, RemoteError
from core.paths import Locations, locations

if TYPE_CHECKING:
    from typing import Self

    from core.client.following import LogText
    from core.model.command import Command
    from core.model.event import Event, Snapshot
    from core.model.machine import MachineKey, Stats
    from core.model.operation import Operation, Step
    from core.model.query import Answer, Query


class BlockingClient:
    """Problems of the other side are raised as RemoteError, the end of the engine as EngineGoneError."""

    def __init__(self, where: Locations, channel: Channel, welcome: Welcome) -> None:
        self.where = where
        self.version = welcome.version
        """Of the engine."""
        self.pid = welcome.pid
        self._channel = channel
        self._number = 0

    @classmethod
    def connect(cls, where: Locations | None = None, *, start: bool = True) -> Self:
        """``start``: start the engine where none runs, and replace an older one; otherwise NotFoundError
        is raised where none runs."""
        where = where or locations()
        channel, welcome = connect(where, start=start)
        return cls(where, channel, welcome)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, command: Command) -> str:
        """The id of the operation, at once."""
        return str(msgspec.msgpack.decode(self._call(Submit(self._next(), raw(command)))))

    def cancel(self, operation: str) -> None:
        """At once; the operation's end comes as an event."""
        self._call(Cancel(self._next(), operation))

    def query(self, query: Query) -> Answer:
        return decoding.answer(query, self._call(Ask(self._next(), raw(query))))

    def refresh(self, project: str = "") -> None:
        """Have providers probed and machines looked at again; the results come as events."""
        self._call(Refresh(self._next(), project))

    def stats(self, machine: MachineKey) -> Stats:
        return decoding.stats(self._call(ReadStats(self._next(), machine.project, machine.name)))

    def stop(self, *, force: bool = False, wait: bool = False) -> None:
        """End the engine; returns once it has ended. While it has work, that is refused (RemoteError,
        busy); ``wait`` lets the work end first, ``force`` cancels it, which undoes it."""
        self._call(Stop(self._next(), force, wait))

    def events(self, since: int = 0, timeout: float | None = None) -> Iterator[Snapshot | Event | None]:
        """First a Snapshot (unless ``since`` is recent enough), then events for ever. With ``timeout``,
        None comes whenever that many seconds pass without news, so that a display can tick."""
        channel = self._another()
        try:
            channel.send(Subscribe(1, since))
            decoder = decoding.EventDecoder()
            while True:
                message = channel.receive(timeout)
                if message is None:
                    yield None
                elif isinstance(message, News):
                    yield from decoder.events(message.events)
                elif isinstance(message, First):
                    yield decoding.snapshot(message.snapshot)
                elif isinstance(message, Failed):
                    raise RemoteError(message.problem)
                elif isinstance(message, Goodbye):
                    raise EngineGoneError(message.why)
        finally:
            channel.close()

    def follow(
        self, operation: str, timeout: float | None = None
    ) -> Iterator[Operation | Step | LogText | None]:
        """See ``core.client.following.follow``."""
        from core.client.following import follow

        return follow(self, operation, timeout)

    def serial(self, machine: MachineKey) -> tuple[socket.socket, bytes]:
        """The serial console of a running machine: a socket with its bare bytes, both ways, and the
        first bytes that came already. Close the socket to leave."""
        channel = self._another()
        try:
            _await(channel, OpenSerial(1, machine.project, machine.name))
        except BaseException:
            channel.close()
            raise
        channel.socket.settimeout(None)
        return channel.socket, channel.left()

    def close(self) -> None:
        self._channel.close()

    def _another(self) -> Channel:
        """A second connection to the engine. One that has gone meanwhile is not started again: whoever
        listens to it wants to know."""
        try:
            return connect(self.where, start=False)[0]
        except NotFoundError:
            raise EngineGoneError from None

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _call(self, request: Request) -> msgspec.Raw:
        return _await(self._channel, request)


def _await(channel: Channel, request: Request) -> msgspec.Raw:
    """Send a request, wait for its answer."""
    number = getattr(request, "id", 0)
    channel.send(request)
    while True:
        message = channel.receive()
        if isinstance(message, Reply) and message.id == number:
            return message.result
        if isinstance(message, Failed) and message.id == number:
            raise RemoteError(message.problem)
        if isinstance(message, Goodbye):
            raise EngineGoneError(message.why)

"""The way to the engine: over its socket, or within this process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from core.errors import NotFoundError

if TYPE_CHECKING:
    from core.client.following import LogText
    from core.model.command import Command
    from core.model.event import Event, Snapshot
    from core.model.machine import MachineKey
    from core.model.operation import Operation, Step
    from core.model.query import Answer, Query


class Session(Protocol):
    """What both blocking clients can do."""

    def submit(self, command: Command) -> str: ...

    def cancel(self, operation: str) -> None: ...

    def query(self, query: Query) -> Answer: ...

    def events(self, since: int = 0, timeout: float | None = None) -> Iterator[Snapshot | Event | None]: ...

    def follow(
        self, operation: str, timeout: float | None = None
    ) -> Iterator[Operation | Step | LogText | None]: ...

    def serial(self, machine: MachineKey) -> tuple[socket.socket, bytes]: ...

    def stop(self, *, force: bool = False, wait: bool = False) -> None: ...

    def close(self) -> None: ...


def connect(*, in_process: bool = False) -> Session:
    """The user's engine, started where none runs; or one of our own, which ends with ``close``."""
    if not in_process:
        from core.client.blocking import BlockingClient

        return BlockingClient.connect()
    from core.client.threaded import ThreadedClient
    from core.engine.engine import Engine
    from core.paths import locations

    return ThreadedClient(Engine(locations()))


def connect_running() -> Session | None:
    """The engine that runs; None where none does. None is started or replaced."""
    from core.client.blocking import BlockingClient

    try:
        return BlockingClient.connect(start=False)
    except NotFoundError:
        return None

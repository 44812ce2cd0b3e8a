"""The engine as front ends see it: one interface, two transports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from core.model.command import Command
from core.model.event import Event, Snapshot
from core.model.machine import MachineKey
from core.model.query import Answer, Query


class SerialLine(Protocol):
    """A serial console through the engine."""

    async def read(self) -> bytes: ...

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class Client(Protocol):
    """Asynchronous; the command line has a blocking twin in ``core.client.blocking``.

    Problems of the other side arrive as RemoteError.
    """

    async def submit(self, command: Command) -> str:
        """The id of the operation, at once. Raises when the command is refused outright."""

    async def cancel(self, operation: str) -> None: ...

    async def query(self, query: Query) -> Answer: ...

    def subscribe(self, since: int = 0) -> AsyncIterator[Snapshot | Event]:
        """First a Snapshot (unless ``since`` is recent enough for the tail alone), then events for ever.
        Merged for a reader that falls behind."""

    async def refresh(self, project: str = "") -> None:
        """Ask for providers to be probed and machines to be looked at again; results come as events."""

    async def stats(self, machine: MachineKey) -> object:
        """core.model.machine.Stats of a running machine."""

    async def serial(self, machine: MachineKey) -> SerialLine: ...

    async def close(self) -> None: ...

"""The engine in the same process: no socket between."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core.client.base import SerialLine
from core.engine.engine import Engine
from core.model.command import Command
from core.model.event import Event, Snapshot
from core.model.machine import MachineKey
from core.model.query import Answer, Query


class InProcessClient:
    """Implements :class:`core.client.base.Client` for a started engine on the same event loop.

    ``own``: closing the client stops the engine, and cancels what it still does.
    """

    def __init__(self, engine: Engine, *, own: bool = False) -> None:
        self.engine = engine
        self._own = own
        engine.client_came()

    async def submit(self, command: Command) -> str:
        return self.engine.submit(command)

    async def cancel(self, operation: str) -> None:
        self.engine.cancel(operation)

    async def query(self, query: Query) -> Answer:
        return await self.engine.answer(query)

    async def subscribe(self, since: int = 0) -> AsyncIterator[Snapshot | Event]:
        subscription = self.engine.subscribe(since)
        try:
            while (batch := await subscription.batch()) is not None:
                if isinstance(batch, Snapshot):
                    yield batch
                else:
                    for event in batch:
                        yield event
        finally:
            subscription.close()

    async def refresh(self, project: str = "") -> None:
        self.engine.refresh(project)

    async def stats(self, machine: MachineKey) -> object:
        return await self.engine.stats(machine)

    async def serial(self, machine: MachineKey) -> SerialLine:
        return await self.engine.serial(machine)

    async def close(self) -> None:
        self.engine.client_left()
        if self._own:
            await self.engine.stop(force=True)

"""Consoles of containers. libvirt keeps no log of them: the engine listens, and writes it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from core.errors import BoxwrightError
from core.model.machine import MachinePlan
from core.providers.libvirt.console import Consoles
from core.providers.libvirt.context import Context
from core.providers.serial import Wire


class LoggingWire:
    """What it reads is in the log before anybody hears of it."""

    def __init__(self, wire: Wire, log: Path) -> None:
        self._wire = wire
        self._log = log

    async def read(self) -> bytes:
        data = await self._wire.read()
        if data:
            # On a full disk the console goes on without its log.
            with contextlib.suppress(OSError), self._log.open("ab") as file:
                file.write(data)
        return data

    async def write(self, data: bytes) -> None:
        await self._wire.write(data)

    async def close(self) -> None:
        await self._wire.close()


class ListeningConsoles(Consoles):
    """One line to each container that runs, for as long as it does: of what it says nothing gets lost."""

    settle = 0.0

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._listening: dict[str, str] = {}

    def _logged(self, wire: Wire, log: Path) -> Wire:
        return LoggingWire(wire, log)

    async def listen(self, plan: MachinePlan, run: str) -> None:
        """To that run of the machine, from now on; where another program has its console, not."""
        if self._listening.get(plan.id) == run:
            return
        with contextlib.suppress(BoxwrightError):
            await self.open(plan)
            self._listening[plan.id] = run

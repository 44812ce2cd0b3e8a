"""Serial consoles: VirtualBox offers the guest's port as a Unix socket, and keeps no log of it. So the engine
listens from the start of the machine on and writes the log itself."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachinePlan
from core.providers.serial import Lines, SerialConsole, SocketWire
from core.providers.virtualbox.layout import Layout


class LoggedWire(SocketWire):
    """Writes down what it reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: Path) -> None:
        super().__init__(reader, writer)
        self._log = log

    async def read(self) -> bytes:
        data = await super().read()
        with self._log.open("ab") as log:
            log.write(data)
        return data


class Consoles:
    """The lines that are open, by machine."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._keeping: dict[str, asyncio.Task[None]] = {}

    async def open(self, plan: MachinePlan) -> SerialConsole:
        layout = Layout.of(plan)

        async def connect() -> LoggedWire:
            try:
                reader, writer = await asyncio.open_unix_connection(str(layout.serial_socket))
            except OSError as error:
                raise ProviderError(
                    f"The machine {plan.key.name} has no serial console now.",
                    why="It does not run." if not layout.serial_socket.exists() else str(error),
                    remedy=f"boxwright up {plan.key.name}",
                ) from error
            return LoggedWire(reader, writer, layout.serial_log)

        return await self._lines.open(plan.id, layout.serial_log, connect)

    def keep(self, plan: MachinePlan) -> None:
        """Write the log of a machine that runs, until it ends."""
        known = self._keeping.get(plan.id)
        if known is None or known.done():
            self._keeping[plan.id] = asyncio.get_running_loop().create_task(self._keep(plan))

    async def _keep(self, plan: MachinePlan) -> None:
        with contextlib.suppress(BoxwrightError, OSError):
            console = await self.open(plan)
            try:
                while await console.read():
                    pass
            finally:
                await console.close()

    async def close(self) -> None:
        for task in self._keeping.values():
            task.cancel()
        await asyncio.gather(*self._keeping.values(), return_exceptions=True)
        await self._lines.close()

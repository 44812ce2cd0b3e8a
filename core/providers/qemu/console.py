"""Serial consoles of QEMU: a Unix socket, and the log beside it."""

from __future__ import annotations

import asyncio

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.qemu.layout import Layout
from core.providers.serial import Lines, SerialConsole, SocketWire


class Consoles:
    """The lines that are open, by machine."""

    def __init__(self) -> None:
        self._lines = Lines()

    async def open(self, plan: MachinePlan) -> SerialConsole:
        layout = Layout.of(plan)

        async def connect() -> SocketWire:
            try:
                return SocketWire(*await asyncio.open_unix_connection(str(layout.serial_socket)))
            except OSError as error:
                raise ProviderError(
                    f"The machine {plan.key.name} has no serial console now.",
                    why="It does not run." if not layout.pid_file.exists() else str(error),
                    remedy=f"boxwright up {plan.key.name}",
                ) from error

        return await self._lines.open(plan.id, layout.serial_log, connect)

    async def close(self) -> None:
        await self._lines.close()

"""Consoles: what a container's command says, and its input."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.docker import containers
from core.providers.docker import record as records
from core.providers.docker.context import Context, existing
from core.providers.docker.frames import outputs
from core.providers.docker.layout import Layout
from core.providers.docker.wire import hang_up
from core.providers.serial import Lines, SerialConsole

DETACH = ",".join(["ctrl-^"] * 4)
"""Docker ends a connection in which these keys are pressed; they have to be some that nobody presses."""


class AttachedWire:
    """A container's own input and output."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, *, tty: bool) -> None:
        self._writer = writer
        self._outputs = outputs(reader, tty=tty)

    async def read(self) -> bytes:
        async for data, _ in self._outputs:
            return data
        return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        await hang_up(self._writer)


class Consoles:
    """Consoles of running containers; see ``logs`` for what keeps what these say."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines = Lines()

    async def open(self, plan: MachinePlan) -> SerialConsole:
        """Raises ProviderError where the machine does not run."""
        record = existing(plan, records.read(Layout.of(plan)))
        daemon = await self._context.of(plan, record)
        row = await containers.row(daemon, plan.id, record.container)
        if row is None or not row.live:
            raise ProviderError(
                f"The machine {plan.key.name} does not run, so it has no console.",
                remedy=f"boxwright up {plan.key.name}",
            )
        self._context.logs.keep(daemon, record.container, Layout.of(plan).serial_log)
        about = await containers.inspect(daemon, record.container)
        run = (about.get("State") or {}).get("StartedAt", "")
        tty = bool((about.get("Config") or {}).get("Tty"))

        async def connect() -> AttachedWire:
            streams = ("stream", "stdin", "stdout", "stderr")
            query = {**dict.fromkeys(streams, True), "detachKeys": DETACH}
            request = await daemon.request("POST", f"/containers/{record.container}/attach", query=query)
            reader, writer = await daemon.attach(request)
            return AttachedWire(reader, writer, tty=tty)

        return await self._lines.open(f"{record.container} {run}", Layout.of(plan).serial_log, connect)

    async def close(self) -> None:
        await self._lines.close()

"""Serial consoles: a stream of libvirt's, and the log that it keeps."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.libvirt import domains
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, existing
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import LibvirtError, bindings, call
from core.providers.serial import Lines, SerialConsole, Wire

SETTLE = 1.5
"""Seconds that QEMU may need to notice that somebody listens; until then it only writes its log."""

_BLOCK = 65536
_FULL = 0.02
"""Seconds after which a stream that takes nothing is tried again."""


class StreamWire:
    """A stream (``virStream``), not blocking; the library's event thread says when there is something."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._ended = False
        self._closed = False

    @classmethod
    async def open(cls, connection: Connection, machine_id: str) -> StreamWire:
        stream = await connection.run(_open, machine_id)
        wire = cls(stream)
        await call(wire._listen)
        return wire

    def _listen(self) -> None:
        libvirt = bindings()
        kinds = libvirt.VIR_STREAM_EVENT_READABLE
        kinds |= libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP
        self._stream.eventAddCallback(kinds, self._on_event, None)

    def _on_event(self, stream: Any, _events: int, _opaque: Any) -> None:
        """In the library's thread."""
        libvirt = bindings()
        try:
            data = stream.recv(_BLOCK)
        except libvirt.libvirtError:
            data = b""
        if isinstance(data, int):
            # -2: nothing there after all.
            return
        if not data:
            with contextlib.suppress(libvirt.libvirtError):
                stream.eventRemoveCallback()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, data)

    async def read(self) -> bytes:
        if self._ended:
            return b""
        data = await self._arrived.get()
        self._ended = not data
        return data

    async def write(self, data: bytes) -> None:
        while data and not self._closed:
            try:
                sent = await call(self._stream.send, data)
            except LibvirtError as error:
                raise OSError(error.problem.why or error.problem.what) from error
            if sent < 0:
                await asyncio.sleep(_FULL)
            else:
                data = data[sent:]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await call(self._let_go)

    def _let_go(self) -> None:
        libvirt = bindings()
        for action in (self._stream.eventRemoveCallback, self._stream.abort):
            with contextlib.suppress(libvirt.libvirtError):
                action()


def _open(handle: Any, machine_id: str) -> Any:
    libvirt = bindings()
    domain = domains.needed(handle, machine_id)
    stream = handle.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, stream, 0)
    return stream


class Consoles:
    """The lines that are open, by machine."""

    settle = SETTLE

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines = Lines(settle=self.settle)

    async def open(self, plan: MachinePlan) -> SerialConsole:
        connection = self._context.of(plan, existing(plan))
        row = await connection.run(domains.row, plan.id)
        if row is None or not row.active:
            raise ProviderError(
                f"The machine {plan.key.name} has no serial console now.",
                why="It does not run.",
                remedy=f"boxwright up {plan.key.name}",
            )

        log = Layout.of(plan).serial_log

        async def connect() -> Wire:
            try:
                return self._logged(await StreamWire.open(connection, plan.id), log)
            except LibvirtError as error:
                raise ProviderError(
                    f"The serial console of {plan.key.name} cannot be opened.",
                    why=error.problem.why,
                    remedy="close virsh console, or whatever else is connected to it",
                ) from error

        # The end of an earlier run may not have been heard of yet: its line is not this one's.
        return await self._lines.open(f"{plan.id} {row.number}", log, connect)

    def _logged(self, wire: Wire, log: Path) -> Wire:
        """A wire whose bytes get into the log: libvirt's keeper of logs sees to that."""
        return wire

    async def close(self) -> None:
        await self._lines.close()

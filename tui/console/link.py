"""What a console is connected to: a shell in the guest, or a machine's serial console."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core.errors import BoxwrightError, NotFoundError
from core.model.machine import MachineState

if TYPE_CHECKING:
    from core.client.base import SerialLine
    from core.guests.channel import Channel
    from core.guests.remote import RemoteGuest
    from core.model.machine import Endpoint, MachineKey
    from tui.bridge import Bridge

Output = Callable[[bytes], None]


class End(NamedTuple):
    why: str
    broken: bool
    """It was not the other side's will: it may come back."""


class LineLink(Protocol):
    """Two ways for bytes. Opened once; a new one is made to connect again."""

    @property
    def caption(self) -> str:
        """For the status line."""

    async def open(self, output: Output, columns: int, rows: int) -> None:
        """Raises BoxwrightError."""

    async def write(self, data: bytes) -> None:
        """Waits while the other side takes no more. Raises OSError when it has ended."""

    def resize(self, columns: int, rows: int) -> None: ...

    def pause(self) -> None:
        """No more output for now."""

    def resume(self) -> None: ...

    async def ended(self) -> End:
        """Waits for the end."""

    @property
    def ready(self) -> bool:
        """Whether there is any use in trying to open one."""

    @property
    def coming(self) -> bool:
        """Whether the other side is not up yet: that one cannot be opened is no reason to give up."""

    @property
    def gone(self) -> bool:
        """Whether there is nothing any more that one could be opened to."""

    async def close(self) -> None: ...


def exists(bridge: Bridge, key: MachineKey) -> bool:
    """As far as is known: before the engine has answered, nothing was destroyed."""
    machine = bridge.state.machine(key)
    return machine.state.created if machine is not None else not bridge.state.seq


class Guests:
    """One connection for each machine, shared by its shells."""

    def __init__(self) -> None:
        self._open: dict[str, RemoteGuest] = {}
        self._began: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def reach(self, name: str, endpoint: Endpoint, began: float = 0.0) -> RemoteGuest:
        """``began``: since when the machine runs (Unix time), 0 where that is not known."""
        from core.guests.connecting import connect

        async with self._locks.setdefault(name, asyncio.Lock()):
            guest = self._open.get(name)
            if guest is None or not guest.alive or guest.endpoint != endpoint:
                guest = self._open[name] = await connect(endpoint)
                self._began[name] = began
            return guest

    def outlived(self, name: str, began: float) -> RemoteGuest | None:
        """The connection to a machine that has begun anew at ``began`` (Unix time) since then, e.g. from a
        snapshot, where nothing tells that the guest does not know of it any more."""
        before = self._began.get(name)
        self._began[name] = began
        return self._open.pop(name, None) if before and before != began else None

    async def close(self) -> None:
        guests, self._open = list(self._open.values()), {}
        await asyncio.gather(*(guest.close() for guest in guests), return_exceptions=True)


class ShellLink:
    """A login shell in the guest of a machine."""

    caption = ""

    def __init__(
        self,
        guests: Guests,
        name: str,
        endpoint: Callable[[], Endpoint | None],
        *,
        began: Callable[[], float] = lambda: 0.0,
        exists: Callable[[], bool] = lambda: True,
        up: Callable[[], bool] = lambda: True,
        missing: str = "The machine does not run yet.",
    ) -> None:
        """``endpoint`` is asked at each opening: a machine that was started anew may have moved. ``began``:
        since when it runs; ``exists``: whether there is still such a machine; ``up``: whether it should
        answer. ``missing`` says that there is no endpoint."""
        self._missing = missing
        self._up = up
        self._began = began
        self._guests = guests
        self._name = name
        self._endpoint = endpoint
        self._exists = exists
        self._channel: Channel | None = None

    async def open(self, output: Output, columns: int, rows: int) -> None:
        endpoint = self._endpoint()
        if endpoint is None:
            raise NotFoundError(self._missing)
        guest = await self._guests.reach(self._name, endpoint, self._began())
        self._channel = await guest.shell(output, columns=columns, rows=rows)

    async def write(self, data: bytes) -> None:
        if self._channel is not None:
            await self._channel.write(data)

    def resize(self, columns: int, rows: int) -> None:
        if self._channel is not None:
            self._channel.resize(columns, rows)

    def pause(self) -> None:
        if self._channel is not None:
            self._channel.pause_reading()

    def resume(self) -> None:
        if self._channel is not None:
            self._channel.resume_reading()

    async def ended(self) -> End:
        assert self._channel is not None
        ran = await self._channel.wait()
        if ran.status < 0:
            return End("The connection is broken.", True)
        why = "The shell has ended." if not ran.status else f"The shell has ended with status {ran.status}."
        return End(why, False)

    @property
    def ready(self) -> bool:
        return self._endpoint() is not None

    @property
    def coming(self) -> bool:
        return not self.ready or not self._up()

    @property
    def gone(self) -> bool:
        return not self._exists()

    async def close(self) -> None:
        if self._channel is not None:
            self._channel.abort()


class SerialLink:
    """A machine's serial console, through the engine."""

    caption = ""

    def __init__(self, bridge: Bridge, machine: MachineKey) -> None:
        self._bridge = bridge
        self._machine = machine
        self._line: SerialLine | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._reader: asyncio.Task[End] | None = None

    async def open(self, output: Output, columns: int, rows: int) -> None:
        self._line = await self._bridge.serial(self._machine)
        self._reader = asyncio.get_running_loop().create_task(self._read(output))

    async def _read(self, output: Output) -> End:
        assert self._line is not None
        with contextlib.suppress(OSError, BoxwrightError):
            while data := await self._line.read():
                await self._flowing.wait()
                output(data)
        return End("The serial console is closed: the machine does not run.", True)

    async def write(self, data: bytes) -> None:
        if self._line is not None:
            await self._line.write(data)

    def resize(self, columns: int, rows: int) -> None:
        pass  # A serial line does not know of sizes.

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def ended(self) -> End:
        assert self._reader is not None
        return await asyncio.shield(self._reader)

    @property
    def ready(self) -> bool:
        machine = self._bridge.state.machine(self._machine)
        return machine is not None and machine.state is MachineState.RUNNING

    @property
    def coming(self) -> bool:
        return not self.ready

    @property
    def gone(self) -> bool:
        return not exists(self._bridge, self._machine)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        if self._line is not None:
            await self._line.close()

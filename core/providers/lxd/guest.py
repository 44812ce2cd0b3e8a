"""Guests that the server lets us into: commands and shells by its exec call, over websockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections import deque
from typing import TYPE_CHECKING

from core.errors import BoxwrightError
from core.guests.base import Output
from core.guests.channel import Channel
from core.guests.errors import ConnectionLostError
from core.guests.remote import RemoteGuest, Terminal
from core.model.machine import Endpoint
from core.providers.lxd.connection import Connection, segment
from core.providers.lxd.farewell import SIGNAL, Farewell
from core.providers.lxd.place import Place

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

COMMUNICATOR = "lxd"

_LOGIN = """s=$(sed -n 's/^root:.*://p' /etc/passwd); [ -x "$s" ] || s=/bin/sh; exec "$s" -l"""
"""The account's login shell, which the server does not look for."""

_MOST = 256 * 1024
"""Bytes that may wait to be sent before the sender is held back."""

_END_SECONDS = 5.0


def target_of(place: Place, name: str) -> str:
    return f"{place.project}/{name}"


async def connect(endpoint: Endpoint) -> ExecGuest:
    """The communicator ``lxd``: the host is the server, the target is project and instance.

    Raises ConnectionLostError where the server cannot be reached or the instance does not run.
    """
    project, _, name = endpoint.target.partition("/")
    connection = Connection(Place(endpoint.host, project))
    guest = ExecGuest(connection, name)
    guest.endpoint = endpoint
    try:
        found = await connection.find(guest.path)
    except BoxwrightError as error:
        raise _lost(name, error.problem.what, error.problem.why) from error
    if found is None or found.get("status") != "Running":
        raise _lost(name, "it does not run")
    return guest


def _lost(name: str, *why: str) -> ConnectionLostError:
    return ConnectionLostError(
        f"The container {name} cannot be reached.",
        why=" ".join(filter(None, why)),
        remedy="boxwright status, to see whether the machine still runs",
    )


class ExecGuest(RemoteGuest):
    """Each channel is an exec call of its own; between calls nothing is open."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._open = True
        self._channels: set[ExecChannel] = set()
        self.endpoint = Endpoint(
            host=connection.place.server,
            port=0,
            user="root",
            communicator=COMMUNICATOR,
            target=target_of(connection.place, name),
        )

    @property
    def path(self) -> str:
        return f"/1.0/instances/{segment(self._name)}"

    @property
    def alive(self) -> bool:
        return self._open

    async def open_channel(
        self,
        command: str | None,
        stdout: Output | None,
        stderr: Output | None,
        *,
        pty: Terminal | None = None,
    ) -> Channel:
        body = {
            "command": ["sh", "-c", _LOGIN if command is None else command],
            "wait-for-websocket": True,
            "interactive": pty is not None,
        }
        farewell = None
        if pty is not None:
            if pty.plain:
                farewell = Farewell()
                body["command"] = farewell.around(command or _LOGIN)
            body |= {"environment": {"TERM": pty.term}, "width": pty.columns, "height": pty.rows}
        channel = ExecChannel(self._connection, stdout, stderr, farewell)
        opening = asyncio.ensure_future(channel.open(f"{self.path}/exec", body))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A command that begins too late must not go on.
            opening.add_done_callback(channel.abandon)
            raise
        except BoxwrightError as error:
            raise _lost(self._name, error.problem.what, error.problem.why) from error
        self._channels = {known for known in self._channels if not known.ended} | {channel}
        return channel

    async def close(self) -> None:
        self._open = False
        for channel in self._channels:
            channel.abort()
        await asyncio.gather(*(channel.over() for channel in self._channels), return_exceptions=True)


class ExecChannel(Channel):
    """One exec call: a websocket for each stream, and one to control it."""

    def __init__(
        self,
        connection: Connection,
        stdout: Output | None,
        stderr: Output | None,
        farewell: Farewell | None = None,
    ) -> None:
        super().__init__(stdout, stderr)
        self._connection = connection
        self._farewell = farewell
        self._operation = ""
        self._sockets: dict[str, ClientConnection] = {}
        self._flow = asyncio.Event()
        self._flow.set()
        self._outgoing: deque[bytes | str] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._whole: asyncio.Task[None] | None = None
        self._aborted = False

    async def open(self, path: str, body: dict[str, object]) -> None:
        """Raises LxdError."""
        self._operation, said = await self._connection.begin(path, body)
        streams: dict[str, str] = said["metadata"]["fds"]
        place = f"{self._operation}/websocket"
        try:
            # The command begins, and may end, once all but the one to control it are there.
            for name in sorted(streams, reverse=True):
                self._sockets[name] = await self._connection.socket(place, {"secret": streams[name]})
        except BaseException:
            await self._close_sockets()
            raise
        self._whole = asyncio.create_task(self._run())

    async def _run(self) -> None:
        if "1" in self._sockets:
            readers = [self._read("1"), self._read("2", stderr=True)]
        else:
            readers = [self._read("0")]
        reading = [asyncio.create_task(reader) for reader in readers]
        self._tasks = [*reading, asyncio.create_task(self._write())]
        try:
            await asyncio.wait(reading)
            if self._farewell is not None and (rest := self._farewell.rest()):
                self.arrived(rest)
            self.output_ended()
            await self._close_sockets()
            self.exited(await self._ask_status())
        finally:
            for task in self._tasks:
                task.cancel()
            await self._close_sockets()
            self.lost()

    async def _read(self, name: str, *, stderr: bool = False) -> None:
        from websockets.exceptions import WebSocketException

        with contextlib.suppress(WebSocketException, OSError):
            while True:
                await self._flow.wait()
                message = await self._sockets[name].recv()
                if isinstance(message, str):
                    # An empty text: the stream has ended.
                    return
                if self._farewell is not None:
                    message = self._told_apart(message, self._farewell)
                if message:
                    self.arrived(message, stderr=stderr)

    def _told_apart(self, message: bytes, farewell: Farewell) -> bytes:
        output, complete = farewell.take(message)
        if complete:
            self._signal_command(SIGNAL)
        return output

    async def _write(self) -> None:
        from websockets.exceptions import WebSocketException

        with contextlib.suppress(WebSocketException, OSError):
            while True:
                while self._outgoing:
                    message = self._outgoing.popleft()
                    self._waiting -= len(message)
                    if self._waiting <= _MOST:
                        self._writable.set()
                    await self._sockets["0"].send(message)
                self._wake.clear()
                await self._wake.wait()

    async def _ask_status(self) -> int | None:
        """How the command ended, as the server says; None where it does not know."""
        with contextlib.suppress(BoxwrightError):
            found = await self._connection.ask("GET", f"{self._operation}/wait", query={"timeout": 10})
            status = (found.get("metadata") or {}).get("return")
            return int(status) if isinstance(status, int) else None
        return None

    async def _close_sockets(self) -> None:
        await asyncio.gather(*(socket.close() for socket in self._sockets.values()), return_exceptions=True)

    def abandon(self, opening: asyncio.Future[None]) -> None:
        """Nobody waits for it any more: end it as soon as it is open."""
        if not opening.cancelled() and opening.exception() is None:
            self.abort()

    async def over(self) -> None:
        """Wait for the end of what was opened, not for long."""
        if self._whole:
            await asyncio.wait([self._whole], timeout=_END_SECONDS)

    def _is_open(self) -> bool:
        return self._whole is not None and not self._whole.done()

    def _send(self, data: bytes) -> None:
        self._put(data)

    def _send_eof(self) -> None:
        self._put("" if "1" in self._sockets else b"\x04")

    def _put(self, message: bytes | str) -> None:
        self._outgoing.append(message)
        self._waiting += len(message)
        if self._waiting > _MOST:
            self._writable.clear()
        self._wake.set()

    def _send_size(self, columns: int, rows: int) -> None:
        size = {"width": str(columns), "height": str(rows)}
        self._control({"command": "window-resize", "args": size})

    def _signal_command(self, number: int) -> None:
        self._control({"command": "signal", "signal": number})

    def _control(self, message: dict[str, object]) -> None:
        self._tasks.append(asyncio.ensure_future(self._tell(json.dumps(message))))

    async def _tell(self, message: str) -> None:
        from websockets.exceptions import WebSocketException

        socket = self._sockets.get("control")
        if socket is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await socket.send(message)

    def _hold(self) -> None:
        self._flow.clear()

    def _release(self) -> None:
        self._flow.set()

    def _abort(self) -> None:
        if self._aborted:
            return
        self._aborted = True
        self._flow.set()
        self._signal_command(signal.SIGKILL)
        self._tasks.append(asyncio.ensure_future(self._leave()))

    async def _leave(self) -> None:
        """The command was told to end: what it leaves open is closed."""
        await asyncio.sleep(0.2)
        await self._close_sockets()

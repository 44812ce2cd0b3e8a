"""Guests that are containers: commands and shells by ``exec``, over connections of their own.

The entry point ``docker`` of ``boxwright.communicators``; used by the engine, the command line and the
workbench alike, and light enough for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

from core.errors import BoxwrightError
from core.guests.base import Output
from core.guests.channel import Channel
from core.guests.errors import ConnectionLostError
from core.guests.remote import MARK, RemoteGuest, Terminal, ending
from core.model.machine import Endpoint
from core.providers.docker.address import parse
from core.providers.docker.channel import ExecChannel
from core.providers.docker.console import DETACH
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import DockerError

_LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi"
_SIZE = "stty cols {columns} rows {rows} 2>/dev/null; "
_PLAIN = "stty -echo -onlcr 2>/dev/null; "
_USUAL = "vagrant"
"""The account that boxes have where they do not say otherwise; not every root file system has it."""


async def connect(endpoint: Endpoint) -> DockerGuest:
    """Raises ConnectionLostError where the daemon, or the container, is not there (yet)."""
    guest = DockerGuest(endpoint)
    with _lost(endpoint):
        about = await guest.daemon.ask("GET", f"/containers/{endpoint.target}/json")
    if not (about.get("State") or {}).get("Running"):
        raise ConnectionLostError("The container does not run.", remedy="boxwright up")
    if endpoint.user == _USUAL:
        await guest.become_usual()
    return guest


class DockerGuest(RemoteGuest):
    """There is nothing that stands between commands: each has a connection of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.daemon = Daemon(parse(endpoint.host))
        self._open: set[ExecChannel] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._alive = True
        self._user = endpoint.user
        """Account of commands; "": the container's own."""

    async def become_usual(self) -> None:
        """Take the account that boxes usually have, if this one has it."""
        self._user = ""
        if not (await self.run(f"id -u {_USUAL}")).status:
            self._user = _USUAL

    @property
    def alive(self) -> bool:
        return self._alive

    async def open_channel(
        self,
        command: str | None,
        stdout: Output | None,
        stderr: Output | None,
        *,
        pty: Terminal | None = None,
    ) -> Channel:
        mark = secrets.token_hex(8)
        first = _SIZE.format(columns=pty.columns, rows=pty.rows) if pty else ""
        first += _PLAIN if pty is not None and pty.plain else ""
        body: dict[str, Any] = {
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": pty is not None,
            "Cmd": ["/bin/sh", "-c", first + (_LOGIN if command is None else command)],
            "Env": [f"{MARK}={mark}", *([f"TERM={pty.term}"] if pty else [])],
            "DetachKeys": DETACH,
            "User": self._user,
        }
        with self._losing():
            number = await self._create(body)
            request = await self.daemon.request(
                "POST", f"/exec/{number}/start", body={"Detach": False, "Tty": pty is not None}
            )
            reader, writer = await self.daemon.attach(request)
        channel = ExecChannel(self, number, stdout, stderr, tty=pty is not None, mark=mark)
        self._open.add(channel)
        channel.begin(reader, writer)
        if pty is not None:
            channel.resize(pty.columns, pty.rows)
        return channel

    async def _create(self, body: dict[str, Any]) -> str:
        path = f"/containers/{self.endpoint.target}/exec"
        made = await self.daemon.ask("POST", path, body=body)
        return str(made["Id"])

    @contextlib.contextmanager
    def _losing(self) -> Any:
        try:
            with _lost(self.endpoint):
                yield
        except ConnectionLostError:
            self._alive = False
            raise

    async def status(self, number: str) -> int | None:
        """Exit status of a command whose output has ended; None where it cannot be known any more."""
        pause = 0.002
        with contextlib.suppress(DockerError):
            while pause < 2:
                about = await self.daemon.ask("GET", f"/exec/{number}/json")
                if not about.get("Running") and about.get("ExitCode") is not None:
                    return int(about["ExitCode"])
                await asyncio.sleep(pause)
                pause *= 1.5
        return None

    async def resize(self, number: str, columns: int, rows: int) -> None:
        """A command that is only just starting has no terminal yet."""
        pause = 0.01
        while pause < 1:
            with contextlib.suppress(DockerError):
                await self.daemon.ask("POST", f"/exec/{number}/resize", query={"h": rows, "w": columns})
                return
            await asyncio.sleep(pause)
            pause *= 2

    def left(self, channel: ExecChannel) -> None:
        self._open.discard(channel)

    def end(self, mark: str) -> None:
        """End a command whose connection was closed: Docker lets it go on, with nobody to listen."""
        task = asyncio.create_task(self._end_marked(mark))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end_marked(self, mark: str) -> None:
        body = {"Cmd": ["/bin/sh", "-c", ending(mark)], "User": self._user}
        with contextlib.suppress(BoxwrightError):
            number = await self._create(body)
            await self.daemon.ask("POST", f"/exec/{number}/start", body={"Detach": True})

    async def close(self) -> None:
        self._alive = False
        for channel in tuple(self._open):
            channel.abort()
        if self._closing:
            await asyncio.wait(tuple(self._closing), timeout=3.0)


@contextlib.contextmanager
def _lost(endpoint: Endpoint) -> Any:
    try:
        yield
    except DockerError as error:
        problem = error.problem
        raise ConnectionLostError(
            f"The container {endpoint.target[:12]} cannot be entered.",
            why=problem.why or problem.what,
            remedy=problem.remedy,
        ) from error

"""Guests that are containers of libvirt's: commands and shells in the namespaces of their first process.

The entry point ``lxc`` of ``boxwright.communicators``; used by the engine, the command line and the workbench
alike, and light enough for all of them. Nothing in the container is needed for it but a shell.
"""

from __future__ import annotations

import asyncio
import os

from core.guests.base import Output
from core.guests.channel import Channel
from core.guests.errors import ConnectionLostError
from core.guests.remote import RemoteGuest, Terminal
from core.model.machine import Endpoint
from core.providers.libvirt.containers.channel import ProcessChannel
from core.providers.libvirt.containers.processes import first_process

_LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi"
_PLAIN = "stty -echo -onlcr 2>/dev/null; "
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd")


async def connect(endpoint: Endpoint) -> NamespaceGuest:
    """Raises ConnectionLostError where the container does not run (any more), or may not be entered."""
    guest = NamespaceGuest(endpoint)
    guest.check()
    return guest


class NamespaceGuest(RemoteGuest):
    """``endpoint.target``: the run of the container, see :func:`core.providers.libvirt.record.run_of`.
    Nothing stands between commands, which are root's."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._alive = True
        self._open: set[ProcessChannel] = set()

    @property
    def alive(self) -> bool:
        return self._alive and first_process(self.endpoint.target) is not None

    def check(self) -> None:
        """Raise ConnectionLostError where it cannot be entered."""
        self._enter()

    def _enter(self) -> list[str]:
        """Words before a command."""
        pid = first_process(self.endpoint.target)
        if pid is None:
            raise ConnectionLostError("The container does not run.", remedy="boxwright up")
        if os.geteuid() != 0:
            raise ConnectionLostError(
                "The container cannot be entered.",
                why="Only root may enter the namespaces of libvirt's containers.",
                remedy="run Boxwright as root, or choose another provider",
            )
        return ["nsenter", f"--target={pid}", *_NAMESPACES, "--"]

    async def open_channel(
        self,
        command: str | None,
        stdout: Output | None,
        stderr: Output | None,
        *,
        pty: Terminal | None = None,
    ) -> Channel:
        line = _LOGIN if command is None else command
        if pty is not None and pty.plain:
            line = _PLAIN + line
        environment = {"PATH": _PATH, "HOME": "/root", "USER": "root"}
        if pty is not None:
            environment["TERM"] = pty.term
        channel = ProcessChannel(stdout, stderr)
        size = (pty.columns, pty.rows) if pty is not None else None
        try:
            await channel.begin([*self._enter(), "/bin/sh", "-c", line], environment, size)
        except OSError as error:
            raise ConnectionLostError("The container cannot be entered.", why=str(error)) from error
        self._open = {known for known in self._open if not known.ended} | {channel}
        return channel

    async def close(self) -> None:
        self._alive = False
        await asyncio.gather(*(channel.close() for channel in self._open))

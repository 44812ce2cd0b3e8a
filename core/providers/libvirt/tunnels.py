"""Ports of this computer's loopback that lead to the loopback of another, by SSH.

Each machine has an ``ssh`` of its own, with what SSH itself knows of that computer. It runs a command there
that waits for the end of its input, which is a pipe of the engine's: when the engine ends, in whatever way,
ssh and its ports do, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable

from core.errors import ProviderError
from core.providers.libvirt.address import Host
from core.providers.ports import LOOPBACK

PATIENCE = 30.0
"""Seconds until the other computer has let us in."""

_READY = b"ready\n"
_TAKEN = re.compile(r"bind \[[^]]*\]:(\d+): Address already in use")

Pair = tuple[int, int]
"""A port here, and the one there."""


class Tunnels:
    """Those of all machines, by their ids."""

    def __init__(self) -> None:
        self._processes: dict[str, Process] = {}

    def has(self, machine_id: str) -> bool:
        process = self._processes.get(machine_id)
        return process is not None and process.returncode is None

    async def open(self, machine_id: str, host: Host, pairs: Iterable[Pair]) -> int:
        """Listen on all of them, or on none. Returns 0, or the port here that somebody else has.

        Raises ProviderError where the other computer does not let us in."""
        await self.close(machine_id)
        forwards = [word for here, there in pairs for word in ("-L", _forward(here, there))]
        options = (
            "ExitOnForwardFailure=yes",
            "ControlMaster=no",
            "ControlPath=none",
            "ServerAliveInterval=15",
        )
        process = await asyncio.create_subprocess_exec(
            *host.command,
            *(word for option in options for word in ("-o", option)),
            *forwards,
            host.name,
            f"echo {_READY.decode().strip()} && exec cat >/dev/null",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        self._processes[machine_id] = process
        said = await self._greeting(machine_id, process)
        if said is None:
            return 0
        taken = _TAKEN.search(said)
        if taken:
            return int(taken.group(1))
        raise ProviderError(
            f"The ports of the machine on {host.name} cannot be reached.",
            why=said.strip() or f"ssh did not get there within {PATIENCE:g} s.",
            remedy=f"try: ssh {host.name}, and mend what it says",
        )

    async def _greeting(self, machine_id: str, process: Process) -> str | None:
        """None once the ports are there; else what ssh said of it."""
        assert process.stdout and process.stderr
        said = b""
        try:
            async with asyncio.timeout(PATIENCE):
                if await process.stdout.readline() == _READY:
                    return None
                said = await process.stderr.read()
        except TimeoutError:
            pass
        except BaseException:
            await self.close(machine_id)
            raise
        await self.close(machine_id)
        return said.decode(errors="replace")

    async def close(self, machine_id: str) -> None:
        """Connections end, too; of a machine that has none that is no error."""
        process = self._processes.pop(machine_id, None)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close_all(self) -> None:
        for machine_id in tuple(self._processes):
            await self.close(machine_id)


def _forward(here: int, there: int) -> str:
    return f"{LOOPBACK}:{here}:{LOOPBACK}:{there}"

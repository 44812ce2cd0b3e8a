"""A running QEMU process and the conversation with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from core.errors import BoxwrightError, ProviderError
from core.providers.qemu.monitor import Monitor, MonitorError

_ANSWER_SECONDS = 60.0
_TAKEN = re.compile(r"Could not set up host forwarding rule")


class PortTakenError(ProviderError):
    """A port that seemed free was taken before QEMU could listen on it."""


class Emulator:
    """QEMU, started by us. ``quit`` ends it; what it wrote is in ``log``."""

    def __init__(self, process: asyncio.subprocess.Process, monitor: Monitor, log: Path) -> None:
        self.process = process
        self.monitor = monitor
        self._log = log

    @classmethod
    async def start(
        cls, argv: Sequence[str], socket: Path, log: Path, *, inherited: Sequence[int] = ()
    ) -> Emulator:
        """``inherited`` are open files that QEMU is given.

        Raises ProviderError with QEMU's last words where it dies, PortTakenError for a port."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=inherited,
            )
        try:
            monitor = await _connected(process, socket, log)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return cls(process, monitor, log)

    async def gone(self) -> str:
        """Returns when the process has ended, with how it ended."""
        status = await self.process.wait()
        said = last_words(self._log)
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return f"QEMU ended ({how}){': ' + said[-1] if said else ''}"

    async def ended(self, timeout: float) -> bool:
        """Whether the process ends by itself within ``timeout`` seconds."""
        try:
            await asyncio.wait_for(self.process.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def quit(self) -> None:
        """End it at once, and wait until it is gone."""
        await self.monitor.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


async def _connected(process: asyncio.subprocess.Process, socket: Path, log: Path) -> Monitor:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ANSWER_SECONDS
    while True:
        if process.returncode is not None:
            raise _died(log)
        if os.path.exists(socket):  # noqa: ASYNC240, PTH110
            try:
                return await Monitor.connect(socket, _ANSWER_SECONDS)
            except MonitorError:
                if process.returncode is None and loop.time() > deadline:
                    raise
        if loop.time() > deadline:
            raise ProviderError("QEMU does not answer on its control socket.", tail=last_words(log))
        await asyncio.sleep(0.02)


def _died(log: Path) -> BoxwrightError:
    said = last_words(log)
    if any(_TAKEN.search(line) for line in said):
        return PortTakenError("A port was taken before QEMU could listen on it.", tail=said)
    return ProviderError(
        "QEMU ended as soon as it was started.",
        why=said[-1] if said else "It said nothing.",
        remedy="look at the source's qemuargs, machine_type and accelerator",
        tail=said,
    )


def last_words(log: Path) -> tuple[str, ...]:
    """The last lines that QEMU wrote."""
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(line for line in lines[-15:] if line.strip())

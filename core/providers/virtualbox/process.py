"""A worker's process: lines in, lines out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from core.errors import ProviderError

_LINE = 16 << 20
"""Bytes that one answer may have: a list of thousands of machines."""

_LEAVING = 5.0
"""Seconds for a worker to end by itself once its input has ended."""


class Died(Exception):
    """The worker ended before it said anything; the text is what it wrote as errors."""


class Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._errors: deque[bytes] = deque(maxlen=20)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, command: list[str]) -> Process:
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                cwd="/",
                limit=_LINE,
            )
        )
        try:
            return cls(await asyncio.shield(starting))
        except OSError as error:
            raise ProviderError(f"{command[0]} cannot be run.", why=str(error)) from error
        except asyncio.CancelledError:
            # Cancelled itself, it would wait for all that hold its pipes.
            await asyncio.wait([starting])
            if not starting.cancelled() and not starting.exception():
                await cls(starting.result()).kill()
            raise

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    async def _listen(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            self._errors.append(line)

    async def first_line(self, patience: float) -> dict[str, Any]:
        assert self._process.stdout
        try:
            async with asyncio.timeout(patience):
                line = await self._process.stdout.readline()
        except TimeoutError:
            return {"unusable": f"VirtualBox's daemon is silent for {patience:g} s."}
        if not line:
            await self._hear_out()
            raise Died(b"".join(self._errors).decode(errors="replace").strip()[-600:])
        found: dict[str, Any] = msgspec.json.decode(line)
        return found

    async def lines(self) -> AsyncIterator[bytes]:
        assert self._process.stdout
        with contextlib.suppress(ValueError, OSError):
            async for line in self._process.stdout:
                yield line

    async def write(self, data: bytes) -> None:
        """One that has ended is noticed by whoever waits for its lines."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.write(data)
            await self._process.stdin.drain()

    async def end(self) -> None:
        """Let it finish what it is doing, but not for long."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_LEAVING):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        await self._hear_out()

    async def kill(self) -> None:
        """With what stands before it: a command prefix may have made it a child of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._hear_out()

    async def _hear_out(self) -> None:
        """VirtualBox's daemon, which the worker may have started, keeps the pipe for errors open."""
        await asyncio.wait([self._listening], timeout=0.2)
        self._listening.cancel()

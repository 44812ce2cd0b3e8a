"""A guest that is reached otherwise than over SSH, in this terminal: a shell, or one command."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.cli.raw_terminal import raw, write_all
from core.guests.base import Ran
from core.guests.channel import Channel
from core.guests.connecting import connect
from core.guests.remote import RemoteGuest
from core.model.machine import Endpoint

_BLOCK = 65536


def attach(endpoint: Endpoint, command: str | None) -> int:
    """The exit status of the account's shell, or of ``command``. Raises GuestError."""
    return asyncio.run(_attach(endpoint, command))


async def _attach(endpoint: Endpoint, command: str | None) -> int:
    guest = await connect(endpoint)
    try:
        if command is None and sys.stdin.isatty():
            return await _shell(guest)
        channel = await guest.open_channel(command or "exec sh", _to(1), _to(2))
        _forward_input(channel)
        return (await channel.wait()).status
    finally:
        await guest.close()


def capture(endpoint: Endpoint, command: str) -> tuple[Ran, bytes, bytes]:
    """How ``command`` ended, and both of its outputs. Raises GuestError."""
    return asyncio.run(_capture(endpoint, command))


async def _capture(endpoint: Endpoint, command: str) -> tuple[Ran, bytes, bytes]:
    guest = await connect(endpoint)
    stdout, stderr = bytearray(), bytearray()
    try:
        ran = await guest.run(command, stdout=stdout.extend, stderr=stderr.extend)
    finally:
        await guest.close()
    return ran, bytes(stdout), bytes(stderr)


async def _shell(guest: RemoteGuest) -> int:
    columns, rows = shutil.get_terminal_size()
    with raw(0):
        channel = await guest.shell(
            _to(1), columns=columns, rows=rows, term=os.environ.get("TERM") or "xterm-256color"
        )
        with _resizing(channel):
            _forward_input(channel)
            return (await channel.wait()).status


@contextmanager
def _resizing(channel: Channel) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, lambda: channel.resize(*shutil.get_terminal_size()))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


def _to(descriptor: int) -> Callable[[bytes], None]:
    return lambda data: write_all(descriptor, data)


def _forward_input(channel: Channel) -> None:
    """From a thread, as standard input may be a file, which cannot be awaited; it ends with the process."""
    loop = asyncio.get_running_loop()

    def forward() -> None:
        try:
            while data := os.read(0, _BLOCK):
                asyncio.run_coroutine_threadsafe(channel.write(data), loop).result()
            loop.call_soon_threadsafe(channel.write_eof)
        except (OSError, RuntimeError):
            pass  # The command has ended, and with it perhaps the loop.

    threading.Thread(target=forward, name="standard input", daemon=True).start()

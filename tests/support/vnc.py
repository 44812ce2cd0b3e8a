"""A machine of QEMU without a disk: its firmware writes to a screen, reached as those of builds are."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.providers import tools


class Machine:
    """``socket`` speaks VNC until ``end``."""

    def __init__(self, socket: Path, process: subprocess.Popen[bytes]) -> None:
        self.socket = socket
        self._process = process

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    socket = folder / "vnc"
    command = [tools.emulator("x86_64"), "-accel", "tcg", "-m", "16", "-nodefaults", "-vga", "std"]
    process = subprocess.Popen([*command, "-display", "none", "-vnc", f"unix:{socket}"])
    one = Machine(socket, process)
    try:
        yield one
    finally:
        one.end()

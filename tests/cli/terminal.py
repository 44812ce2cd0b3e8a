"""A program in a real pseudo-terminal, its screen read by a real terminal emulator."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pyghostty import Terminal

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0


class TerminalRun:
    """``boxwright WORDS`` as a user sees it. ``type`` presses keys, ``wait_for`` waits for a text."""

    def __init__(
        self,
        *words: str,
        columns: int = 80,
        lines: int = 24,
        env: Mapping[str, str] | None = None,
        program: tuple[str, ...] = (sys.executable, "-m", "core.cli.main"),
        cwd: Path | None = None,
    ) -> None:
        self.raw = bytearray()
        self.screen = Terminal(columns, lines)
        self._ours, its = os.openpty()
        _set_size(its, columns, lines)
        self.process = subprocess.Popen(
            [*program, *words],
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(env or {})},
            preexec_fn=lambda: os.login_tty(its),
            pass_fds=(its,),
        )
        os.close(its)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(columns, lines)
        _set_size(self._ours, columns, lines)

    @property
    def shown(self) -> str:
        """The screen as it is now."""
        return "\n".join(line.rstrip() for line in self.screen.text().split("\n")).rstrip()

    def wait_for(self, text: str) -> str:
        """The screen, once it shows ``text``."""
        return self.wait_until(lambda: text in self.shown, text)

    def wait_until(self, true: Callable[[], bool], what: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while not true():
            if not self._read(deadline - time.monotonic()) and not true():
                raise AssertionError(f"{what!r} did not come; the screen is:\n{self.shown}")
        return self.shown

    def end(self) -> int:
        """Reads to the end; the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(timeout=PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)

    def _read(self, seconds: float) -> bool:
        """Take in what comes; False at the end, or when nothing comes in time."""
        ready, _, _ = select.select([self._ours], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:
            return False
        self.raw += data
        self.screen.feed(data)
        return bool(data)

    def __enter__(self) -> TerminalRun:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

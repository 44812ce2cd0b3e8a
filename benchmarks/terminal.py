"""A real pseudo-terminal for benchmarks of the workbench: starts a program in one, types, and reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> None:
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            **(env or {}),
        }
        for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "TMUX"):
            environment.pop(name, None)
        self.started = time.perf_counter()
        self.pid, self._file = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            os.execvpe(command[0], list(command), environment)
        self.resize(columns, rows)
        self._seen = b""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, data: bytes) -> None:
        os.write(self._file, data)

    def wait_for(self, text: bytes, timeout: float = 30.0) -> float:
        """Read until ``text`` is there (between control sequences too); the time. Raises TimeoutError."""
        end = time.perf_counter() + timeout
        while True:
            now = time.perf_counter()
            if text in self._seen or text in _ESCAPES.sub(b"", self._seen):
                self._seen = b""
                return now
            if now > end:
                raise TimeoutError(f"{text!r} did not appear; the last output was {self._seen[-2000:]!r}")
            self._read(min(0.5, end - now))

    def drain(self, seconds: float) -> int:
        """Read and forget for a while; how many bytes there were."""
        end = time.perf_counter() + seconds
        count = 0
        while (left := end - time.perf_counter()) > 0:
            self._seen = b""
            self._read(left)
            count += len(self._seen)
        self._seen = b""
        return count

    def _read(self, timeout: float) -> None:
        ready, _, _ = select.select([self._file], [], [], timeout)
        if ready:
            try:
                data = os.read(self._file, 1 << 16)
            except OSError as error:
                raise TimeoutError(f"the program has ended: {self._seen[-2000:]!r}") from error
            # A marker may be cut by the end of a block, and hidden between control sequences.
            self._seen = self._seen[-(1 << 12) :] + data

    def cpu_seconds(self) -> float:
        """User and system time of the program so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Bytes of memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._file)


@contextlib.contextmanager
def private_engine(folder: Path) -> Iterator[None]:
    """Everything that is started meanwhile uses an engine of its own, which ends with the block."""
    from core.client.blocking import BlockingClient
    from core.errors import BoxwrightError

    before = {name: os.environ.get(name) for name in ("BOXWRIGHT_HOME", "XDG_RUNTIME_DIR")}
    os.environ.update(BOXWRIGHT_HOME=str(folder / "home"), XDG_RUNTIME_DIR=str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(BoxwrightError), BlockingClient.connect(start=False) as client:
            client.stop(force=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Figures:
    """Prints each figure with its bar, and remembers whether all were kept."""

    def __init__(self, title: str) -> None:
        self.kept = True
        print(title)

    def show(self, name: str, value: float, bar: float | None, unit: str = "") -> None:
        verdict = "" if bar is None else f"   bar {bar:g} {unit}   {'kept' if value <= bar else 'MISSED'}"
        print(f"  {name:<44}{value:>10.3f} {unit}{verdict}", flush=True)
        self.kept = self.kept and (bar is None or value <= bar)

    @property
    def status(self) -> int:
        return 0 if self.kept else 1

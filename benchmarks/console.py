"""The workbench's console over SSH: a flood beside ``ssh`` in tmux, and how fast keys are echoed.

A private OpenSSH server on loopback is the guest. Both sides are measured on a pseudo-terminal that is
read as fast as it writes, from the command to the moment at which its last line is on the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.terminal import Figures, Terminal, percentile
from core.model.machine import Endpoint
from tests.support import fake_client
from tests.support.sshd import Sshd

MEGABYTES = 50
FLOOD_BAR = 0.7
ECHO_BAR = 10.0
_ROUNDS = 3
_KEYS = 200
_MARK = b"THE-END-OF-IT"


def main() -> int:
    with guest() as (folder, server):
        return _measure(folder, server)


@contextlib.contextmanager
def guest() -> Iterator[tuple[Path, Sshd]]:
    """A folder, and in it a server whose every session and file is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bwbench", ignore_cleanup_errors=True) as name:
        server = Sshd(Path(name))
        asyncio.run(server.started())
        try:
            yield Path(name), server
        finally:
            server.stop()


def _measure(folder: Path, server: Sshd) -> int:
    text = folder / "flood.txt"
    line = "".join(chr(33 + number % 90) for number in range(79)) + "\n"
    text.write_text(line * (MEGABYTES * 1_000_000 // len(line)))
    command = f"cat {text}; echo THE-END-OF''-IT\n".encode()
    figures = Figures(f"Console: cat of {MEGABYTES} MB over SSH, and echo of keys")
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        theirs.append(_flood_tmux(folder, server, command))
        ours.append(_flood_workbench(folder, server, command))
    figures.show("ssh in tmux, median", statistics.median(theirs), None, "s")
    figures.show("workbench, median", statistics.median(ours), None, "s")
    figures.show("ratio", statistics.median(ours) / statistics.median(theirs), FLOOD_BAR)
    delays = _echo(folder, server)
    figures.show("echo of a key, median", statistics.median(delays) * 1000, None, "ms")
    figures.show("echo of a key, 95th percentile", percentile(delays, 0.95) * 1000, ECHO_BAR, "ms")
    figures.show("ctrl-c ends a flood of yes", _interrupt(folder, server) * 1000, None, "ms")
    return figures.status


def workbench(folder: Path, server: Sshd) -> Terminal:
    """The workbench with a shell open in the guest."""
    terminal = Terminal(
        [sys.executable, "-m", "benchmarks.console", "--workbench", str(folder), str(server.port)],
        env={"BOXWRIGHT_HOME": str(folder / "boxwright")},
    )
    terminal.wait_for(b"up to date")
    terminal.type(b"s")
    terminal.wait_for(b"every other key")
    terminal.drain(0.7)
    return terminal


def _flood_workbench(folder: Path, server: Sshd, command: bytes) -> float:
    terminal = workbench(folder, server)
    try:
        return _flood(terminal, command)
    finally:
        terminal.close()


def _flood_tmux(folder: Path, server: Sshd, command: bytes) -> float:
    end = server.endpoint
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    ssh = f"ssh -F none -i {end.identity} -p {end.port} {options}"
    socket = folder / "tmux"
    terminal = Terminal(
        ["tmux", "-S", str(socket), "-f", "/dev/null", "new-session", f"{ssh} {end.user}@{end.host}"]
    )
    try:
        terminal.drain(1.5)
        return _flood(terminal, command)
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False, timeout=10)
        terminal.close()


def _flood(terminal: Terminal, command: bytes) -> float:
    begin = time.perf_counter()
    terminal.type(command)
    return terminal.wait_for(_MARK, 120) - begin


def _echo(folder: Path, server: Sshd) -> list[float]:
    terminal = workbench(folder, server)
    delays = []
    try:
        for number in range(_KEYS):
            key = b"%c" % (97 + number % 26)
            if not number % 26:
                terminal.type(b"\x15")
                terminal.drain(0.2)
            begin = time.perf_counter()
            terminal.type(key)
            delays.append(terminal.wait_for(key) - begin)
            terminal.drain(0.02)
    finally:
        terminal.close()
    return delays


def _interrupt(folder: Path, server: Sshd) -> float:
    """From ctrl-c in the middle of a flood to the prompt's next answer."""
    terminal = workbench(folder, server)
    try:
        terminal.type(b"yes\n")
        terminal.drain(2.0)
        begin = time.perf_counter()
        terminal.type(b"\x03")
        terminal.type(b"echo THE-END-OF''-IT\n")
        return terminal.wait_for(_MARK, 30) - begin
    finally:
        terminal.close()


def _run_workbench(folder: Path, port: int) -> None:
    from tui import app

    server = Endpoint(
        host="127.0.0.1",
        port=port,
        user=getpass.getuser(),
        identity=str(folder / "client_ed25519"),
        known_hosts=str(folder / "known_hosts"),
    )
    world = fake_client.shop(folder)
    key = f"{fake_client.SHOP}:web"
    world.machines[key] = msgspec.structs.replace(world.machines[key], endpoint=server)
    asyncio.run(app.main(Path(fake_client.SHOP), world))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--workbench"]:
        _run_workbench(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main())

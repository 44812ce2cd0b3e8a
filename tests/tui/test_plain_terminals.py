"""Terminals that can less: what the workbench writes to a real one without a mouse, and without Unicode."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.terminal import Terminal
from tests.support.consoles import environment, workbench
from tests.support.sshd import Sshd, available

pytestmark = pytest.mark.real

MOUSE = re.compile(rb"\x1b\[\?(?:9|1000|1001|1002|1003|1005|1006|1015|1016)h")


class Recorded(Terminal):
    """Keeps all that the program has written."""

    written = b""

    def _read(self, timeout: float) -> None:
        before = self._seen
        super()._read(timeout)
        if self._seen is not before:
            self.written += self._seen[len(before[-(1 << 12) :]) :]


@pytest.fixture
async def server(tmp_path: Path):  # type: ignore[no-untyped-def]
    assert available(), "openssh-server is needed"
    running = await Sshd(tmp_path).started()
    yield running
    running.stop()


Begin = Callable[..., Recorded]


@pytest.fixture
def begin(server: Sshd, boxwright_home: Path) -> Iterator[Begin]:
    running: list[Recorded] = []

    def started(**env: str) -> Recorded:
        command = workbench(boxwright_home, server.endpoint)
        terminal = Recorded(command, env={**environment(boxwright_home), **env})
        running.append(terminal)
        terminal.wait_for(b"up to date")
        return terminal

    yield started
    for terminal in running:
        terminal.close()


def shell(terminal: Terminal) -> None:
    terminal.type(b"s")
    terminal.wait_for(b"every other key")
    terminal.type(b"echo here-$((40+2))\r")
    terminal.wait_for(b"here-42")


@pytest.mark.parametrize("wanted", [True, False])
def test_the_mouse_is_switched_on_only_where_it_is_wanted(
    begin: Begin, boxwright_home: Path, wanted: bool
) -> None:
    (boxwright_home / "settings.toml").write_text(f"mouse = {str(wanted).lower()}\n")
    terminal = begin()
    shell(terminal)
    # A guest that asks for the mouse does not get it past the setting.
    terminal.type(b"printf '\\033[?1003h\\033[?1006h'; echo aske''d-now\r")
    terminal.wait_for(b"asked-now")
    assert bool(MOUSE.search(terminal.written)) is wanted


def test_without_unicode_only_plain_characters_are_written(begin: Begin) -> None:
    terminal = begin(LANG="C", LC_ALL="C", LC_CTYPE="C")
    shell(terminal)
    terminal.type(b"\x1d/")
    terminal.wait_for(b"/|")
    terminal.type(b"\r\x1b")
    terminal.drain(0.3)
    terminal.type(b"[[")
    terminal.wait_for(b"[")
    terminal.type(b"?")
    terminal.wait_for(b"Shut the machine down.")
    found = sorted({bytes([byte]) for byte in terminal.written if byte >= 0x80})
    assert found == [], terminal.written[terminal.written.index(found[0]) - 80 :][:160]

"""The workbench in a real terminal (tmux): on the real engine, and with a real SSH server as guest."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.consoles import environment, workbench
from tests.support.sshd import Sshd, available
from tests.support.tmux import ROOT, Tmux

pytestmark = pytest.mark.real


@pytest.fixture
def tmux(boxwright_home: Path) -> Iterator[Tmux]:
    assert shutil.which("tmux"), "tmux is needed"
    terminal = Tmux(boxwright_home)
    yield terminal
    terminal.close()


PROJECT = """
[project]
name = "shop"
provider = "fake"
[machines.web]
box = "/nowhere/tiny.box"
[machines.db]
box = "/nowhere/tiny.box"
"""

WORKBENCH = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from core.client.inprocess import InProcessClient
from core.engine.engine import Engine
from core.paths import locations
from tests.support.fake_provider import FakeProvider
from tui import app

async def main():
    engine = Engine(locations(), providers={{"fake": FakeProvider()}}, idle_exit=0)
    await engine.start()
    await app.main(Path({project!r}), lambda *, start: InProcessClient(engine))
    await engine.stop(force=True)

asyncio.run(main())
"""


def program(folder: Path) -> list[str]:
    project = folder / "shop"
    project.mkdir()
    (project / "boxwright.toml").write_text(PROJECT)
    script = folder / "workbench.py"
    script.write_text(WORKBENCH.format(root=str(ROOT), project=str(project)))
    return [sys.executable, str(script)]


def test_the_engine_is_driven_from_the_keyboard(tmux: Tmux, boxwright_home: Path) -> None:
    tmux.start(program(boxwright_home), **environment(boxwright_home))
    tmux.wait_for("not created")
    tmux.press("u")
    tmux.wait_for("✗ up web")
    tmux.wait_for("There is no file /nowhere/tiny.box")
    tmux.wait_for("$ boxwright up web")
    tmux.press("2", "Tab", "1", "?")
    tmux.wait_for("Shut the machine down.")
    tmux.press("Escape")
    tmux.wait_for("Shut the machine down.", gone=True)
    tmux.press("T")
    tmux.wait_for("enter keeps it")
    tmux.press("NPage", "NPage", "Enter")
    tmux.wait_for("enter keeps it", gone=True)
    tmux.press("q")
    tmux.wait_for_end()
    assert 'theme = "' in (boxwright_home / "settings.toml").read_text()


def test_eighty_columns_are_enough(boxwright_home: Path) -> None:
    terminal = Tmux(boxwright_home, columns=80, rows=24)
    try:
        terminal.start(program(boxwright_home), **environment(boxwright_home))
        terminal.wait_for("not created")
        lines = terminal.wait_for("u Up").splitlines()  # A notice may cover the keys for a while.
        assert lines[0].startswith(" boxwright")
        assert "u Up" in lines[-1]
        assert "? Help" in lines[-1]
        terminal.press("Down", "Enter")
        terminal.wait_for("[Overview]")
        terminal.press("Escape")
        terminal.wait_for("1 Machines")
    finally:
        terminal.close()


@pytest.fixture
async def server(tmp_path: Path):  # type: ignore[no-untyped-def]
    assert available(), "openssh-server is needed"
    running = await Sshd(tmp_path).started()
    yield running
    running.stop()


async def test_everything_that_is_typed_in_a_console_goes_to_the_guest(
    tmux: Tmux, server: Sshd, boxwright_home: Path
) -> None:
    tmux.start(workbench(boxwright_home, server.endpoint), **environment(boxwright_home))
    tmux.wait_for("up to date")
    tmux.press("s")
    tmux.wait_for("every other key")
    tmux.press("stty -ixon; echo all-$((40+2)); exec cat -v", "Enter")
    tmux.wait_for("all-42")
    # Keys that mean something to the workbench, to Textual or to a shell.
    tmux.press("q", "u", "?", "C-p", "C-q", "Escape", "F5", "Up", "é", "Enter")
    tmux.wait_for("qu?^P^Q^[^[[15~^[[A")
    tmux.press("C-]")
    tmux.wait_for("goes to the lists")
    tmux.press("s")
    tmux.wait_for("[Shell 2]")
    tmux.press("echo sleeps-$((40+2)); sleep 100", "Enter")
    tmux.wait_for("sleeps-42")
    tmux.press("C-c")
    tmux.press("echo alive-$((40+2))", "Enter")
    tmux.wait_for("alive-42")
    tmux.press("exit", "Enter")
    tmux.wait_for("connects again")
    tmux.press("Enter")
    tmux.wait_for("every other key")
    tmux.press("echo again-$((1+1))", "Enter")
    tmux.wait_for("again-2")
    tmux.press("C-]", "w")
    tmux.wait_for("Shell 2", gone=True)
    # To the next one that is open, and from the last one to the lists.
    tmux.wait_for("[Shell 1]")
    tmux.wait_for("enter Type")
    tmux.press("w")
    tmux.wait_for("u Up")
    tmux.wait_for("Shell 1", gone=True)

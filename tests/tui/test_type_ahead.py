"""What is typed faster than the workbench opens things reaches what it was meant for, in its order."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from tests.support.consoles import environment
from tests.support.tmux import Tmux
from tests.tui.conftest import Driver, Start
from tests.tui.test_real_terminal import program
from tui.type_ahead import TypeAhead


@pytest.fixture
def tmux(boxwright_home: Path) -> Iterator[Tmux]:
    terminal = Tmux(boxwright_home, columns=80, rows=24)
    yield terminal
    terminal.close()


def burst(driver: Driver, *keys: str) -> None:
    """As a terminal gives them that read them in one go."""
    for key in keys:
        driver.app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.real
def test_a_machine_is_described_from_the_first_key_to_the_last_in_one_burst(
    tmux: Tmux, boxwright_home: Path
) -> None:
    tmux.start(program(boxwright_home), **environment(boxwright_home))
    tmux.wait_for("not created")
    name, box, to_memory = ["cache", "Down", "Enter"], ["tiny/tiny", "Enter"], ["Down"] * 3
    ports = ["Down", "Down", "Enter", "8080", "Down", "18080", "C-s", "C-s"]
    tmux.run("send-keys", "n", *name, *box, *to_memory, "128MB", *ports, "C-s", "Enter")
    tmux.wait_for("cache is in the project")
    written = tomllib.loads((boxwright_home / "shop" / "boxwright.toml").read_text())
    assert written["machines"]["cache"] == {
        "box": "tiny/tiny",
        "memory": "128MB",
        "ports": [{"guest": 8080, "host": 18080}],
    }


@pytest.mark.real
def test_pages_lines_and_lists_take_what_was_meant_for_each(tmux: Tmux, boxwright_home: Path) -> None:
    tmux.start(program(boxwright_home), **environment(boxwright_home))
    tmux.wait_for("not created")
    tmux.run("send-keys", "?", "q", "/", "db", "Enter", "m", "Up", "Down", "q", "BSpace", "u", "p", "Enter")
    tmux.wait_for("✗ up db")
    tmux.run("send-keys", ":", "box list", *["BSpace"] * 9, "P", "shop")
    tmux.wait_for("─ Projects ─")
    tmux.wait_for("│ │ shop ")


async def test_a_dialog_that_is_closed_leaves_the_next_key_to_what_is_below(start: Start) -> None:
    async with start() as driver:
        burst(driver, "?", "escape", "S", "x", "y", "escape", "?", "q", "down", "down")
        await driver.settle()
        assert driver.app.screen is driver.bench
        assert driver.bench.lists.machines.cursor == 2


async def test_what_takes_too_long_does_not_hold_keys_for_ever(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.type_ahead.PATIENCE", 0.05)
    async with start() as driver:
        never = asyncio.Event()
        held: TypeAhead = driver.app.type_ahead

        async def stuck() -> None:
            await never.wait()

        driver.bench.actions.begin(stuck())
        burst(driver, "down", "down")
        await driver.settle()
        assert held.idle
        assert driver.bench.lists.machines.cursor == 2
        never.set()

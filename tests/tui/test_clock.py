"""A clock that was set back: nothing took less than no time, and nothing stops."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from core.model.machine import Holder, MachineState
from core.model.operation import StepState
from tests.support.fake_client import NOW, FakeClient, machine, up
from tests.tui import scenes
from tests.tui.conftest import Start

NEGATIVE = re.compile(r"-\d+(\.\d)? (s|min|h|d)\b|-\d+:\d\d")


async def test_after_the_clock_went_back_no_time_is_negative_and_everything_goes_on(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as driver:
        before = SimpleNamespace(time=lambda: NOW - 86_400.0, monotonic=lambda: 0.0)
        for module in (
            "tui.views.contents", "tui.panes.lists", "tui.dialogs.operations", "tui.dialogs.progress",
            "tui.log.view", "tui.console.opening",
        ):  # fmt: skip
            monkeypatch.setattr(f"{module}.time", before)
        world.operation(up("000002", "cache", StepState.DONE, started=NOW, ended=NOW - 50.0))
        holder = Holder(operation="000001", action="up", since=NOW)
        world.machine(machine("db", MachineState.STARTING, holder=holder, waiting=(holder,)))
        shown = []
        for key in (
            "enter",
            "escape",
            "down",
            "enter",
            "right_square_bracket",
            "right_square_bracket",
            "escape",
        ):
            await driver.press(key)
            driver.bench.detail._tick()
            await driver.settle()
            shown.append(driver.text)
        await driver.press("home")
        await scenes.snapshots(driver)
        shown.append(driver.text)
        await driver.press("escape", "O")
        await driver.wait_for("CAME OF IT")
        shown.append(driver.text)
        await driver.press("escape", "1", "asterisk", "h")
        await driver.wait_for("left out")
        shown.append(driver.text)
        assert any("0.0 s" in text for text in shown)
        assert any("just now" in text for text in shown)
        for text in shown:
            assert NEGATIVE.search(text) is None, text

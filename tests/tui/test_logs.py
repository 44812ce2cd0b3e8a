"""Logs from the keyboard: folds, errors, earlier runs, copies, several machines at once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.model.operation import Step, StepState
from tests.support.fake_client import NOW, SHOP, FakeClient, up
from tests.support.waiting import until
from tests.tui.conftest import Start


def two_steps(world: FakeClient) -> None:
    world.log("000001", b"cloning\n", 2)
    world.log("000001", b"Reading package lists\nE: Unable to locate package\nmore\n", 5)


async def test_a_log_has_headings_that_fold_it(start: Start, world: FakeClient) -> None:
    two_steps(world)
    async with start() as driver:
        await driver.press("down", "l")
        await driver.wait_for("▾ ✓ Linked clone")
        await driver.wait_for("cloning")
        await driver.press("equals_sign")
        await driver.wait_for("▸ ✓ Linked clone")
        assert "cloning" not in driver.text
        assert "3 lines" in driver.text
        await driver.press("equals_sign", "t")
        await driver.wait_for("times")
        assert ":00 cloning" in driver.text or ":20 cloning" in driver.text


async def test_the_next_error_is_one_key_away(start: Start, world: FakeClient) -> None:
    two_steps(world)
    async with start() as driver:
        await driver.press("down", "l")
        await driver.wait_for("cloning")
        await driver.press("e")
        await driver.wait_for("/errors  1 of 1")
        await driver.press("escape")
        await until(lambda: "/errors" not in driver.text)
        assert driver.bench.in_detail, "the first one ends the search"
        await driver.press("escape")
        await until(lambda: not driver.bench.in_detail)


async def test_runs_before_are_a_key_away_and_steps_tell_how_long_they_took(
    start: Start, world: FakeClient
) -> None:
    for number, (id, took) in enumerate((("000100", 12.0), ("000101", 3.0))):
        world.operations[id] = up(id, "cache", StepState.DONE)
        step = Step(operation=id, id=1, name="Start", state=StepState.DONE, started=NOW, ended=NOW + took)
        world.steps[id] = {1: step}
        world.log(id, b"run %d\n" % number, 1)
    async with start() as driver:
        await driver.press("down", "down", "right_square_bracket")
        await driver.wait_for("run 2 of 2")
        await driver.wait_for("last 12.0 s")
        await driver.press("less_than_sign")
        await driver.wait_for("run 1 of 2")
        await driver.press("l")
        await driver.wait_for("run 0")
        await driver.wait_for("up cache, run 1 of 2")
        await driver.press("less_than_sign")
        await driver.wait_for("There is no earlier run.")
        await driver.press("greater_than_sign")
        await driver.wait_for("run 1")


async def test_a_log_is_copied_and_saved(start: Start, world: FakeClient, tmp_path: Path) -> None:
    two_steps(world)
    async with start() as driver:
        await driver.press("down", "l")
        await driver.wait_for("cloning")
        await driver.press("y")
        await driver.wait_for("Copied all of it: 4 lines.")
        assert driver.app.clipboard.startswith("cloning\nReading")
        await driver.press("w")
        await driver.wait_for("enter writes it")
        await driver.press("ctrl+u")
        await driver.type(str(tmp_path / "kept"))
        await driver.press("enter")
        await driver.wait_for("Wrote")
        assert (tmp_path / "kept").read_bytes().startswith(b"cloning\n")


async def test_logs_of_several_machines_are_one(start: Start, world: FakeClient) -> None:
    two_steps(world)
    world.log("000000", b"from web\n", 1)
    world.operations["000000"] = msgspec.structs.replace(world.operations["000000"], state=StepState.DONE)
    async with start() as driver:
        await driver.press("L")
        await driver.wait_for("from web")
        await driver.wait_for("db  │ cloning")
        assert "web │ from web" in driver.text
        await driver.press("slash")
        await driver.type("package")
        await driver.press("enter")
        await driver.wait_for("1 of 2")
        await driver.press("escape")
        await driver.wait_for("1 Machines")


async def test_of_each_machine_the_last_run_that_wrote_something_is_merged(
    start: Start, world: FakeClient
) -> None:
    world.operations["000100"] = up("000100", "cache", StepState.DONE)
    world.log("000100", b"from cache\n", 1)
    world.operations["000101"] = up("000101", "cache", StepState.DONE, title="upload cache")
    async with start() as driver:
        await driver.press("down", "down", "space", "down", "space", "L")
        await driver.wait_for("cache │ from cache")
        await driver.wait_for("Log of 1 machine: cache; none of old")


async def test_a_log_key_elsewhere_is_not_a_log_key(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("left_curly_bracket", "t")
        assert driver.app.screen is driver.bench
        assert world.submitted == []
        assert SHOP in str(driver.bench.choice.machine.key)

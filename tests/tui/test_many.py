"""Many at once: marks, ranges, filters, order, and one command for all that is marked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import command as commands
from core.model.machine import MachineState
from core.model.operation import StepState
from tests.support.fake_client import FakeClient, box, machine
from tests.support.waiting import until
from tests.tui.conftest import Driver, Start
from tui.bulk import Begun
from tui.dialogs.progress import summary
from tui.panes import drawing
from tui.panes.matching import matcher
from tui.panes.ordering import Order
from tui.panes.rows import Row
from tui.store import State


@pytest.mark.parametrize(
    ("pattern", "row", "stays"),
    [
        ("web", "web-1 running", True),
        ("^db", "web-1 running", False),
        ("!web", "web-1 running", False),
        ("!db", "web-1 running", True),
        ("-f wrn", "web-1 running", True),
        ("-f xyz", "web-1 running", False),
        ("!-f wrn", "web-1 running", False),
        ("-f", "anything", True),
        ("[", "a [ b", True),
        ("-force", "up --force", True),
    ],
)
def test_filters(pattern: str, row: str, stays: bool) -> None:
    assert matcher(pattern)(row) is stays


@given(st.text(), st.text())
def test_no_filter_is_too_strange_and_inverse_means_the_others(pattern: str, row: str) -> None:
    if not pattern.startswith("!"):
        assert matcher(f"!{pattern}")(row) is not matcher(pattern)(row)


def rows(*names: str) -> list[Row]:
    return [Row(name, (("", "text"), (name, "text"))) for name in names]


def test_rows_are_ordered_as_people_count() -> None:
    listed = rows("web-10", "web-2", "Db", "2.0 GiB", "512 MiB")
    assert [row.key for row in Order(1).apply(listed)] == ["512 MiB", "2.0 GiB", "Db", "web-2", "web-10"]
    assert next(row.key for row in Order(1, True).apply(listed)) == "web-10"
    assert [row.key for row in Order().apply(listed)] == [row.key for row in listed]


@given(st.lists(st.text()))
def test_any_texts_can_be_ordered(names: list[str]) -> None:
    assert sorted(row.key for row in Order(1).apply(rows(*names))) == sorted(names)


def test_the_order_goes_through_the_columns_that_have_a_heading() -> None:
    columns = ("", "name", "state", "")
    assert Order().next(columns) == Order(1)
    assert Order(1).next(columns) == Order(2)
    assert Order(2).next(columns) == Order()


def names(driver: Driver) -> list[str]:
    return [key.rpartition(":")[2] for key in driver.bench.lists.machines.marked]


async def test_marks_and_ranges(start: Start) -> None:
    async with start() as driver:
        await driver.press("space", "down", "space")
        everything = [row.key.rpartition(":")[2] for row in driver.bench.lists.machines.rows]
        assert names(driver) == [everything[0], everything[2]]
        assert "2 marked" in driver.text
        await driver.press("escape")
        assert names(driver) == []
        await driver.press("home", "space", "down", "ctrl+@")
        assert names(driver) == everything[:3]
        await driver.press("asterisk")
        assert names(driver) == everything
        await driver.press("asterisk")
        assert names(driver) == []


async def test_only_marked_rows_that_are_shown_are_meant(start: Start) -> None:
    async with start() as driver:
        await driver.press("asterisk", "slash")
        await driver.type("web")
        await driver.press("enter")
        assert names(driver) == ["web"]


async def test_a_command_goes_to_all_that_are_marked_and_tells_who_cannot(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        await driver.press("asterisk", "h")
        await driver.wait_for("left out")
        running = [m for m in world.machines.values() if m.state is MachineState.RUNNING]
        halted = [c.machine.name for c in world.submitted if isinstance(c, commands.Halt)]
        assert set(halted) >= {m.name for m in running}
        assert 0 < len(halted) < len(world.machines)
        await driver.press("escape")
        # What the next key is for does not change unseen.
        await driver.wait_for("are still marked: the next key is for them")
        assert len(names(driver)) == len(world.machines)
        await driver.press("escape")
        assert names(driver) == []


async def test_before_much_is_lost_the_number_has_to_be_typed(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("asterisk", "d")
        await driver.wait_for("at once?")
        assert "their boxes and their projects" in driver.text
        await driver.type("1")
        await driver.press("enter")
        await driver.wait_for("it has to be")
        assert world.submitted == []
        count = sum(m.state.created and m.holder is None for m in world.machines.values())
        asked = driver.app.screen._question.number
        assert asked >= count > 1
        await driver.type(str(asked))
        await driver.press("enter")
        await driver.wait_for("of ")
        destroyed = [c for c in world.submitted if isinstance(c, commands.Destroy)]
        assert len(destroyed) == asked


async def test_cancel_leaves_everything_as_it_is(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("asterisk", "d")
        await driver.wait_for("at once?")
        await driver.press("escape")
        assert world.submitted == []
        assert len(names(driver)) > 1


async def test_one_mark_is_meant_in_place_of_the_cursor(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        first = driver.bench.lists.machines.rows[0].key
        await driver.press("space", "end", "h")
        await driver.settle()
        assert str(world.submitted[-1].machine) == first


async def test_sorting_by_key(start: Start) -> None:
    async with start() as driver:
        await driver.press("comma")
        await driver.wait_for("Sorted by name")
        shown = [row.key for row in driver.bench.lists.machines.rows]
        assert shown == sorted(shown)
        await driver.press("full_stop")
        assert [row.key for row in driver.bench.lists.machines.rows] == shown[::-1]


def test_the_summary_counts_what_failed_and_what_was_left_out() -> None:
    begun = [Begun("a", "1"), Begun("b", "2"), Begun("c", refused="It is stopped.")]
    assert summary(begun, State()) == "0 of 2 done, 1 left out"
    assert StepState.FAILED.ended


async def test_of_a_thousand_machines_and_ten_thousand_boxes_only_what_is_seen_is_drawn(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1000):
        made = machine(f"m{number:04d}")
        world.machines[str(made.key)] = made
    for number in range(10_000):
        stored = box(f"acme/box{number:05d}")
        world.boxes[str(stored.key)] = stored
    drawn = 0
    parts = drawing.parts

    def counted(*given: Any) -> Any:
        nonlocal drawn
        drawn += 1
        return parts(*given)

    monkeypatch.setattr(drawing, "parts", counted)
    async with start() as driver:
        await driver.press("1", "end")
        await driver.wait_for("m0999")
        await driver.press("2", "end")
        await driver.wait_for("acme/box09999")
        drawn = 0
        world.machine(machine("m0500", MachineState.STOPPED))
        await driver.settle()
        await driver.press("home", "down")
        assert drawn < 10 * 40, "a handful of times what the screen has lines"


async def test_a_line_of_the_prompt_goes_to_all_that_it_names_and_yes_asks_nothing(
    start: Start, world: FakeClient
) -> None:
    for name in ("one", "two"):
        made = machine(name)
        world.machines[str(made.key)] = made
    async with start() as driver:
        await driver.press("colon")
        await driver.type("destroy one two")
        await driver.press("enter")
        await driver.wait_for("Destroy 2 at once?")
        await driver.press("escape")
        assert world.submitted == []
        await driver.press("colon")
        await driver.type("destroy one two --yes")
        await driver.press("enter")
        await until(lambda: len(world.submitted) == 2)
        assert {command.machine.name for command in world.submitted} == {"one", "two"}
        await driver.press("escape", "colon")
        await driver.type("destroy -y web")
        await driver.press("enter")
        await until(lambda: len(world.submitted) == 3)

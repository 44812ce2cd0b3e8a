"""The terminal is told of what has ended; who is here for the first time is shown around."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.model.event import OperationChanged
from core.model.operation import StepState
from core.model.problem import Problem
from tests.support.fake_client import NOW, FakeClient, up
from tests.tui.conftest import Start
from tui import notices, settings
from tui.notices import Notices, sequence, words, worth_telling
from tui.settings import Notify, Settings
from tui.store import Draft, State


def after(state: State, *operations: object) -> tuple[State, frozenset[str]]:
    from core.model.event import Event

    draft = Draft(state)
    draft.take(Event(number, OperationChanged(one)) for number, one in enumerate(operations, state.seq + 1))  # type: ignore[arg-type]
    return draft.done(), frozenset(draft.changed)


def test_only_what_was_seen_to_run_is_told_of_and_once() -> None:
    seen = Notices()
    state, changed = after(State(), up("000001", "db"), up("000002", "web", StepState.DONE))
    assert seen.look(changed, state) == []
    state, changed = after(state, up("000001", "db", StepState.DONE))
    assert [one.id for one in seen.look(changed, state)] == ["000001"]
    assert seen.look(changed, state) == []


@pytest.mark.parametrize(
    ("chosen", "focused", "seconds", "told"),
    [
        (Settings(), False, 41.0, True),
        (Settings(), True, 41.0, False),
        (Settings(), False, 3.0, False),
        (Settings(notify=Notify.ALWAYS), True, 41.0, True),
        (Settings(notify=Notify.NEVER), False, 41.0, False),
        (Settings(notify_after=1.0), False, 3.0, True),
    ],
)
def test_short_ones_are_not_told_of(chosen: Settings, focused: bool, seconds: float, told: bool) -> None:
    operation = up("000001", "db", StepState.DONE, ended=NOW + seconds)
    assert worth_telling(operation, chosen, focused=focused) is told


def test_terminals_are_told_in_their_own_way() -> None:
    assert sequence("a;b\x1b", {}) == "\x1b]9;boxwright: a,b \x07\x07"
    assert sequence("a", {"TERM": "foot"}).startswith("\x1b]777;notify;boxwright;a\x07")
    assert sequence("a", {"TMUX": "1"}).startswith("\x1bPtmux;\x1b\x1b]9;")


def test_words_say_how_it_ended() -> None:
    failed = up("1", "db", StepState.FAILED, problem=Problem(what="No disk."))
    assert words(failed) == "up db failed after 41.0 s: No disk."
    assert words(up("1", "db", StepState.DONE)) == "up db: done after 41.0 s"


async def test_the_end_of_a_long_operation_reaches_the_terminal_in_the_background(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    async with start() as driver:
        monkeypatch.setattr(driver.app._driver, "write", written.append)
        driver.app.app_focus = False
        world.operation(up("000001", "db", StepState.DONE))
        while not any("up db: done" in text for text in written):
            await driver.settle()
        assert notices.sequence("up db: done after 41.0 s") in written


async def test_a_newcomer_is_offered_the_tour_until_it_was_seen(start: Start, world: FakeClient) -> None:
    async with start(size=(80, 24)) as driver:
        driver.app.newcomer.here = True
        world.operation(msgspec.structs.replace(up("000001", "db"), detail="news"))
        await driver.wait_for("f1 shows the few keys")
        await driver.press("2")
        await driver.wait_for("f1 Tour  / Filter")
        assert not settings.load(settings.file())[0].layout.toured
        await driver.press("f1")
        await driver.wait_for("brings the selected machine up")
        await driver.press("escape")
        assert "f1 Tour" not in driver.text
    assert settings.load(settings.file())[0].layout.toured


async def test_who_finds_the_way_is_not_offered_the_tour_any_more(start: Start) -> None:
    async with start() as driver:
        driver.app.newcomer.here = True
        driver.bench.refresh_footer()
        await driver.press("comma", "full_stop", "2", "3", "1")
        await driver.wait_for("f1 Tour")
        await driver.press("asterisk")
        await driver.settle()
        assert "f1 Tour" not in driver.text
    assert settings.load(settings.file())[0].layout.toured


async def test_where_there_is_nothing_the_tour_is_a_page(start: Start, tmp_path: Path) -> None:
    async with start(project="", client=FakeClient(tmp_path)) as driver:
        driver.app.newcomer.here = True
        driver.app.bridge.state = msgspec.structs.replace(driver.app.bridge.state, seq=1)
        driver.app.state_changed(frozenset("*"))
        await driver.wait_for("describes a machine in a form")

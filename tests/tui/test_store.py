"""The state: immutable, brought up to date by events, the same for all orders of arrival that can be."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.model.event import (
    BoxGone,
    Event,
    LogGrew,
    MachineChanged,
    MachineGone,
    OperationChanged,
    StepChanged,
)
from core.model.machine import MachineState
from core.model.operation import Step, StepState
from core.model.query import OperationView
from tests.support.fake_client import SHOP, box, machine, shop, up
from tui.store import KEPT_OPERATIONS, Draft, State


def taken(state: State, *changes: object) -> tuple[State, set[str]]:
    draft = Draft(state)
    draft.take(Event(number, change) for number, change in enumerate(changes, state.seq + 1))  # type: ignore[arg-type]
    return draft.done(), draft.changed


def snapshot(folder: Path) -> State:
    draft = Draft(State())
    draft.take([shop(folder).snapshot()])
    return draft.done()


def test_a_snapshot_replaces_everything(tmp_path: Path) -> None:
    before, _ = taken(State(), MachineChanged(machine("gone")))
    draft = Draft(before)
    draft.take([shop(tmp_path).snapshot()])
    state = draft.done()
    assert f"{SHOP}:gone" not in state.machines
    assert set(state.machines) == {f"{SHOP}:{name}" for name in ("web", "db", "cache", "spare", "old")}
    assert draft.changed == {"*"}
    assert state.busy == 1


def test_a_change_leaves_the_state_before_it_alone(tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    after, changed = taken(before, MachineChanged(machine("web", MachineState.STOPPED)))
    assert before.machines[f"{SHOP}:web"].state is MachineState.RUNNING
    assert after.machines[f"{SHOP}:web"].state is MachineState.STOPPED
    assert changed == {f"machine:{SHOP}:web"}
    assert after.boxes is before.boxes, "tables without a change are not copied"


def test_things_go(tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    web = before.machines[f"{SHOP}:web"].key
    after, _ = taken(before, MachineGone(web), BoxGone(str(box("shop/base", "3").key)))
    assert str(web) not in after.machines
    assert str(box("shop/base", "3").key) not in after.boxes


def test_steps_of_several_operations_stay_apart_and_in_order(tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    steps = [Step(operation="7", id=id, name=f"step {id}") for id in (3, 1, 2)]
    after, _ = taken(before, *(StepChanged(step) for step in steps))
    assert [step.id for step in after.steps_of("7")] == [1, 2, 3]
    assert len(before.steps_of("000001")) == 6
    done = Step(operation="7", id=1, name="step 1", state=StepState.DONE)
    later, _ = taken(after, StepChanged(done))
    assert after.steps_of("7")[0].state is StepState.WAITING
    assert later.steps_of("7")[0].state is StepState.DONE


def test_the_operation_of_a_subject_is_the_one_that_runs_else_the_last() -> None:
    subject = f"{SHOP}:web"
    ended = [up(str(number), "web", StepState.DONE) for number in (1, 3, 2)]
    state, _ = taken(State(), *(OperationChanged(item) for item in ended))
    assert state.operation_of(subject) == ended[1]
    waits = up("4", "web", StepState.WAITING)
    runs = up("0", "web", StepState.RUNNING)
    state, _ = taken(state, OperationChanged(waits), OperationChanged(runs))
    assert state.operation_of(subject) == runs
    assert state.operation_of("nothing") is None


def test_a_log_grows_but_never_shrinks() -> None:
    state, _ = taken(State(), OperationChanged(up("1", "web")), LogGrew("1", 10), LogGrew("1", 7))
    assert state.operations["1"].log_size == 10
    state, changed = taken(state, LogGrew("unknown", 5))
    assert changed == {"log:unknown"}


def test_an_operation_that_was_asked_for_brings_its_steps_and_its_log() -> None:
    draft = Draft(State())
    step = Step(operation="1", id=1, name="Start", state=StepState.DONE)
    draft.take_operation(OperationView(up("1", "web", StepState.DONE), (step,), (), "/logs/1.log"))
    state = draft.done()
    assert state.steps_of("1") == (step,)
    assert state.log_paths["1"] == "/logs/1.log"


def stale_view(name: str = "1") -> OperationView:
    """An answer from before the end: it runs, and so does its second step."""
    steps = (
        Step(operation=name, id=1, name="Clone", state=StepState.DONE),
        Step(operation=name, id=2, name="Start", state=StepState.RUNNING, lines=1),
    )
    return OperationView(up(name, "web"), steps, (), f"/logs/{name}.log")


def test_an_answer_from_before_the_end_undoes_nothing() -> None:
    ended = Step(operation="1", id=2, name="Start", state=StepState.DONE, lines=7)
    state, _ = taken(State(), OperationChanged(up("1", "web", StepState.DONE)), StepChanged(ended))
    draft = Draft(state)
    draft.take_operation(stale_view())
    after = draft.done()
    assert after.operations["1"].state is StepState.DONE
    assert after.busy == 0
    assert [step.id for step in after.steps_of("1")] == [1, 2], "unknown steps are added"
    assert after.steps_of("1")[1] == ended
    assert after.log_paths["1"] == "/logs/1.log"


def test_an_answer_with_news_is_taken_and_an_older_one_is_not() -> None:
    started = Step(operation="1", id=2, name="Start", state=StepState.RUNNING, lines=5)
    begun = StepChanged(Step(operation="1", id=1, name="Clone"))
    grown = msgspec.structs.replace(up("1", "web"), log_size=90)
    state, _ = taken(State(), OperationChanged(grown), begun, StepChanged(started))
    draft = Draft(state)
    draft.take_operation(stale_view())
    after = draft.done()
    assert after.operations["1"].log_size == 90
    assert [step.state for step in after.steps_of("1")] == [StepState.DONE, StepState.RUNNING]
    assert after.steps_of("1")[1].lines == 5
    draft = Draft(after)
    draft.take_operation(OperationView(up("1", "web", StepState.DONE), (), (), "/logs/1.log"))
    assert draft.done().operations["1"].state is StepState.DONE


def test_after_a_new_engine_ended_steps_stay_and_those_of_what_was_lost_are_asked_for(
    tmp_path: Path,
) -> None:
    draft = Draft(snapshot(tmp_path))
    draft.take_operation(shop_view(tmp_path))
    draft.take_operation(stale_view("000001"))
    before = draft.done()
    assert before.known("000000")
    assert before.known("000001")
    world = shop(tmp_path)
    world.operations["000001"] = up("000001", "db", StepState.FAILED)
    draft = Draft(before)
    draft.take([world.snapshot()])
    after = draft.done()
    assert after.steps_of("000000") == before.steps_of("000000")
    assert after.known("000000")
    assert not after.known("000001")


def shop_view(folder: Path) -> OperationView:
    world = shop(folder)
    steps = tuple(world.steps["000000"].values())
    return OperationView(world.operations["000000"], steps, (), "/logs/000000.log")


def test_old_operations_are_forgotten_but_none_that_runs() -> None:
    many = [up(f"{number:06d}", "web", StepState.DONE) for number in range(1, KEPT_OPERATIONS + 50)]
    state, _ = taken(
        State(), OperationChanged(up("000000", "db")), *(OperationChanged(item) for item in many)
    )
    assert len(state.operations) <= KEPT_OPERATIONS + 1
    assert "000000" in state.operations
    assert many[-1].id in state.operations


def test_nothing_new_gives_the_same_state_back() -> None:
    state = State(seq=5)
    assert Draft(state).done() is state

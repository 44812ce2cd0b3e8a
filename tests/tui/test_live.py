"""What is shown below a running step: its own last lines, nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec
import pytest

from core.commands import Subject
from core.model.operation import Step, StepState
from core.model.query import Log
from tests.support.fake_client import NOW, machine, up
from tui.bridge import Bridge
from tui.choice import Choice
from tui.keys import Keymap
from tui.look.signs import ASCII
from tui.store import State
from tui.views.failure import shortcuts
from tui.views.live import Live
from tui.views.steps import content


@pytest.mark.parametrize(
    ("lines", "shown"),
    [(0, ()), (1, ("mine 2",)), (2, ("mine 1", "mine 2")), (9, ("theirs", "mine 1", "mine 2"))],
)
def test_a_running_step_shows_its_own_lines(tmp_path: Path, lines: int, shown: tuple[str, ...]) -> None:
    log = tmp_path / "1.log"
    log.write_text("theirs\nmine 1\nmine 2\n")
    operation = up("1", "web", StepState.RUNNING)
    steps = {
        1: Step(operation="1", id=1, name="Build", state=StepState.DONE, lines=1),
        2: Step(operation="1", id=2, name="Provision", state=StepState.RUNNING, lines=lines),
    }
    state = State(operations={"1": operation}, steps={"1": steps}, log_paths={"1": str(log)})
    live = Live(cast(Bridge, None), lambda: None)
    assert live.tail(operation, Choice(), state) == shown


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (b"", ("serial console: nothing yet",)),
        (b"Linux\r\n\r\nRun /init\r\n", ("serial console:", "Linux", "Run /init")),
    ],
)
async def test_while_a_guest_is_waited_for_the_end_of_its_serial_console_is_shown(
    log: bytes, shown: tuple[str, ...]
) -> None:
    class Engine:
        async def query(self, query: object) -> Log:
            return Log(data=log, offset=0, size=len(log), path="")

    live = Live(cast(Bridge, Engine()), lambda: None)
    web = machine("web")
    operation = up("1", "web", StepState.RUNNING)
    waits = Step(operation="1", id=1, name="Wait for SSH", state=StepState.RUNNING)
    state = State(operations={"1": operation}, steps={"1": {1: waits}})
    choice = Choice(kind=Subject.MACHINE, machine=web)
    assert live.tail(operation, choice, state) == ()
    await live.look_at_serial(web)
    assert live.tail(operation, choice, state) == shown


@pytest.mark.parametrize("width", [60, 82, 120])
def test_the_phases_of_waiting_are_told_whole_at_any_width(width: int) -> None:
    phases = "process up - port open 0.1 s - banner 9.7 s - host key - authenticated 9.9 s"
    step = Step(operation="1", id=1, name="Wait for SSH", state=StepState.RUNNING, detail=phases)
    operation = up("1", "web", StepState.RUNNING)
    found = content(operation, [step], width=width, signs=ASCII, now=NOW, before={"Wait for SSH": 12.0})
    told = " ".join("".join(text for text, _ in line) for line in found.lines)
    assert phases in " ".join(told.split()) and told.count("process up") == 1


def test_the_keys_for_a_failure_are_the_users_own() -> None:
    failed = msgspec.structs.replace(up("1", "web", StepState.FAILED), ended=NOW)
    choice = Choice(kind=Subject.MACHINE, machine=machine("web"))
    keymap = Keymap({"workbench.again": "f5", "workbench.edit": ""})
    offered = shortcuts(choice, failed, State(), keymap.key)
    assert (offered[0].key, offered[0].title) == ("f5", "Try again")
    assert "Edit the project's file" not in {one.title for one in offered}

"""What is shown below a running step: its own last lines, nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from core.model.operation import Step, StepState
from tests.support.fake_client import up
from tui.bridge import Bridge
from tui.choice import Choice
from tui.store import State
from tui.views.live import Live


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

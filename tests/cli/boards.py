"""Operations and steps in one line, for tests of displays."""

from __future__ import annotations

from typing import Any

from core.cli.board import Board
from core.cli.tree import Frame
from core.model.operation import Operation, Step, StepState


def operation(id: str = "000001", title: str = "up web", **fields: Any) -> Operation:
    """One that has run for ten seconds at time 100."""
    defaults: dict[str, Any] = {
        "command": "machine.up",
        "subject": f"/shop:{title.split()[-1]}",
        "state": StepState.RUNNING,
        "submitted": 90.0,
        "started": 90.0,
    }
    return Operation(id=id, title=title, **(defaults | fields))


def step(id: int, name: str, state: StepState = StepState.RUNNING, **fields: Any) -> Step:
    """A step of the operation 000001 that began at 95 and, if it has ended, ended at 98."""
    defaults: dict[str, Any] = {"operation": "000001", "started": 95.0}
    if state.ended:
        defaults["ended"] = 98.0
    return Step(id=id, name=name, state=state, **(defaults | fields))


def board(*parts: Operation | Step) -> Board:
    made = Board()
    for part in parts:
        if isinstance(part, Operation):
            made.put(part)
        else:
            made.put_step(part)
    return made


def frame(width: int = 80, height: int = 24, **fields: Any) -> Frame:
    return Frame(width=width, height=height, now=100.0, **fields)

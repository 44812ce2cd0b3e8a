"""Putting things in order after an engine that did not end in order."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import msgspec

from core.engine.journal import Journal
from core.engine.log import last_written
from core.engine.registry import MOVING
from core.engine.undoing import Ledger
from core.model.machine import MachineState
from core.model.operation import Operation, StepState
from core.model.problem import Problem

CUT_OFF = "cut off: the engine ended"
"""Beside a step that ran when the engine ended."""

_log = logging.getLogger(__name__)


async def recover(journal: Journal, ledger: Ledger, logs: Path) -> tuple[Operation, ...]:
    """Undo what was begun and not finished, newest first; mark its operations as failed, and their
    steps as cut off at the last that was heard of them. ``logs``: the folder of operations' logs.

    Safe to be interrupted anywhere and to be run again. Returns the operations that were open.
    """
    troubles: dict[str, list[str]] = {}
    for intent in ledger.unsettled():
        trouble = await ledger.undo(intent)
        if trouble:
            _log.warning("operation %s: %s", intent.operation, trouble)
            troubles.setdefault(intent.operation, []).append(trouble)
    ended = []
    for operation in journal.open_operations():
        heard = last_written(logs, operation.id)
        ended.append(_end(journal, operation, troubles.get(operation.id, []), heard))
    return tuple(ended)


def settle_states(journal: Journal) -> None:
    """A machine that was being started or stopped does neither any more: nobody drives it.
    What it really does is looked up next."""
    for record in journal.machines()[0]:
        if record.state in MOVING:
            journal.save_machine(msgspec.structs.replace(record, state=MachineState.STOPPED, started=None))


def _end(journal: Journal, operation: Operation, troubles: list[str], heard: float) -> Operation:
    now = max(time.time(), operation.started, operation.submitted)
    why = "What it had not finished making was undone; what ran in a guest stays as it is."
    if operation.state is StepState.WAITING:
        why = "It was still waiting; nothing was begun."
    elif troubles:
        why = f"Not everything that it had begun could be undone: {'; '.join(troubles)}."
    problem = Problem(
        what="The engine ended while it ran.",
        why=why,
        remedy=operation.command_line,
    )
    steps = tuple(
        msgspec.structs.replace(
            step, state=StepState.FAILED, ended=max(step.started, min(heard or now, now)), detail=CUT_OFF
        )
        for step in journal.steps(operation.id)
        if not step.state.ended
    )
    failed = msgspec.structs.replace(operation, state=StepState.FAILED, ended=now, problem=problem, detail="")
    journal.end_operation(failed, steps)
    return failed

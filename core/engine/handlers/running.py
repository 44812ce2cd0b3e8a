"""How a machine's record follows its state."""

from __future__ import annotations

import time

from core.engine.context import Context
from core.engine.records import MachineRecord
from core.model.machine import MachineKey, MachineState
from core.providers.base import Started


def mark_starting(context: Context, key: MachineKey) -> MachineRecord:
    return context.machines.change(key, state=MachineState.STARTING, trouble="", started=None)


def mark_running(context: Context, key: MachineKey, started: Started) -> MachineRecord:
    before = context.machines.require(key)
    return context.machines.change(
        key,
        state=MachineState.RUNNING,
        trouble="",
        started=started,
        started_at=before.started_at or time.time(),
    )


def mark_stopping(context: Context, key: MachineKey) -> MachineRecord:
    return context.machines.change(key, state=MachineState.STOPPING)


def mark_stopped(
    context: Context, key: MachineKey, state: MachineState = MachineState.STOPPED
) -> MachineRecord:
    return context.machines.change(key, state=state, trouble="", started=None, started_at=0.0)

"""When a command is possible, as far as the machine's state tells. Each gives a reason, or "".

A machine that is busy is no reason against a command: operations on one machine queue.
"""

from __future__ import annotations

from core.model.machine import Machine, MachineState
from core.model.provider import Probe


def created(machine: Machine, _probe: Probe | None) -> str:
    return "" if machine.state.created else f"{machine.name} is not created."


def running(machine: Machine, probe: Probe | None) -> str:
    if machine.state in (MachineState.RUNNING, MachineState.STARTING) or machine.holder:
        return created(machine, probe) if not machine.holder else ""
    return f"{machine.name} is {machine.state}, not running."


def suspended(machine: Machine, _probe: Probe | None) -> str:
    if machine.state is MachineState.SUSPENDED or machine.holder:
        return ""
    return f"{machine.name} is {machine.state}, not suspended."


def reachable(machine: Machine, _probe: Probe | None) -> str:
    """Reading is never refused while an operation runs, as long as the guest may answer."""
    if machine.state in (MachineState.RUNNING, MachineState.STARTING):
        return ""
    return f"{machine.name} is {machine.state}, not running."


def not_suspended(machine: Machine, probe: Probe | None) -> str:
    """Its memory lies in a file of its own, which a snapshot of the disk would not fit."""
    if machine.state is MachineState.SUSPENDED and not machine.holder:
        return f"{machine.name} is suspended; resume or halt it first."
    return created(machine, probe)


KEPT_WHILE = "What was destroyed is kept for a day, as long as there is room for it and its box is there."


def recoverable(machine: Machine, _probe: Probe | None) -> str:
    """What is there would have to go first."""
    if machine.state.created and not machine.holder:
        return f"{machine.name} is there; only what was destroyed can be brought back."
    return "" if machine.kept or machine.holder else f"Nothing is kept of {machine.name}."


def has_snapshots(machine: Machine, probe: Probe | None) -> str:
    return created(machine, probe) or ("" if machine.snapshots else f"{machine.name} has no snapshot.")

"""Signs for states: never colour alone, and plain ASCII where the locale has nothing else."""

from __future__ import annotations

import msgspec

from core.model.machine import MachineState
from core.model.operation import StepState


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """One character each, unless said otherwise."""

    running: str = "●"
    busy: str = "◐"
    stopped: str = "○"
    suspended: str = "◌"
    absent: str = "·"
    broken: str = "✗"
    done: str = "✓"
    failed: str = "✗"
    cancelled: str = "⊘"
    skipped: str = "–"
    waiting: str = "·"
    open: str = "▾"
    closed: str = "▸"
    full: str = "▰"
    empty: str = "▱"
    ellipsis: str = "…"
    down: str = "↓"
    up: str = "↑"
    mark: str = "▌"
    """Before a row that is marked."""
    asks: str = "?"
    """Before a build that waits for an answer."""
    bell: str = "♪"
    dash: str = "–"
    dot: str = "·"
    rail: str = "│"
    thumb: str = "┃"
    levels: str = "▁▂▃▄▅▆▇█"
    """From little to much, for sparklines."""
    border: str = "round"
    """Textual's name of the border of panes."""


UNICODE = Signs()
ASCII = Signs(
    running="*",
    busy="~",
    stopped="o",
    suspended="z",
    absent=".",
    broken="x",
    done="+",
    failed="x",
    cancelled="/",
    skipped="-",
    waiting=".",
    open="v",
    closed=">",
    full="#",
    empty="-",
    ellipsis="~",
    down="v",
    up="^",
    mark=">",
    bell="!",
    dash="-",
    dot="|",
    rail="|",
    thumb="#",
    levels="_.-=+*#",
    border="ascii",
)

_MACHINES = {
    MachineState.ABSENT: ("absent", "muted"),
    MachineState.STOPPED: ("stopped", "muted"),
    MachineState.STARTING: ("busy", "busy"),
    MachineState.RUNNING: ("running", "good"),
    MachineState.STOPPING: ("busy", "busy"),
    MachineState.SUSPENDED: ("suspended", "warn"),
    MachineState.BROKEN: ("broken", "bad"),
}

_STEPS = {
    StepState.WAITING: ("waiting", "muted"),
    StepState.RUNNING: ("busy", "busy"),
    StepState.DONE: ("done", "good"),
    StepState.CACHED: ("done", "cached"),
    StepState.SKIPPED: ("skipped", "muted"),
    StepState.FAILED: ("failed", "bad"),
    StepState.CANCELLED: ("cancelled", "warn"),
}


def of_machine(state: MachineState, signs: Signs) -> tuple[str, str]:
    """The sign of a machine's state and the role of its colour."""
    name, role = _MACHINES[state]
    return getattr(signs, name), role


def of_step(state: StepState, signs: Signs) -> tuple[str, str]:
    name, role = _STEPS[state]
    return getattr(signs, name), role


def bar(current: float, total: float, width: int, signs: Signs) -> str:
    """A bar of ``width`` characters; not full before all is done."""
    share = 0.0 if total <= 0 else min(1.0, max(0.0, current / total))
    filled = width if share >= 1 else int(share * width)
    return signs.full * filled + signs.empty * (width - filled)

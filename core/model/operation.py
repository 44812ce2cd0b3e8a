"""Operations: trees of steps, each with a state, progress and a log."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from core.model.problem import Problem


class StepState(enum.StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CACHED = "cached"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in (StepState.WAITING, StepState.RUNNING)

    @property
    def good(self) -> bool:
        return self in (StepState.DONE, StepState.CACHED, StepState.SKIPPED)


class Progress(msgspec.Struct, frozen=True):
    """How far a step is. ``total`` is None where it cannot be known."""

    current: float
    total: float | None = None
    unit: str = ""
    """``bytes``, ``files``, ... or "" for a bare ratio."""
    rate: float = 0.0
    """Units a second, smoothed; 0 while unknown. Time left is (total - current) / rate."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A node of an operation's tree."""

    operation: str
    id: int
    """Counts from 1 within the operation, in order of appearance."""
    parent: int = 0
    """Id of the step above; 0 for a step at the top."""
    name: str
    state: StepState = StepState.WAITING
    detail: str = ""
    """A short text beside the name: a phase, a reason for skipping, ..."""
    started: float = 0.0
    ended: float = 0.0
    progress: Progress | None = None
    problem: Problem | None = None
    lines: int = 0
    """Lines of output so far."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the engine is doing, or did."""

    id: str
    """Sorts by time of submission."""
    command: str
    """Id in the registry, e.g. ``machine.up``."""
    title: str
    """For people, e.g. ``up web``."""
    subject: str = ""
    """What it holds while it runs: str(MachineKey), ``box:NAME``, ``build:PROJECT:NAME`` or ""."""
    project: str = ""
    state: StepState = StepState.WAITING
    submitted: float
    started: float = 0.0
    ended: float = 0.0
    detail: str = ""
    """While waiting: who holds the subject, with which action, since when."""
    problem: Problem | None = None
    log_size: int = 0
    """Bytes of log so far."""
    result: Any = None
    """What the command returns, as plain JSON data; None where it returns nothing."""
    command_line: str = ""
    """The same as a shell command."""


class LogSegment(msgspec.Struct, frozen=True):
    """A stretch of an operation's log that one step wrote."""

    step: int
    offset: int
    length: int
    time: float

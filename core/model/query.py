"""Queries: what can be read from the engine at once, from memory or SQLite, and their answers."""

from __future__ import annotations

import msgspec

from core.model.box import Box, BoxUse
from core.model.machine import Endpoint, Kept, Machine, MachineKey
from core.model.operation import LogSegment, Operation, Step
from core.model.problem import Problem
from core.model.provider import Probe


class _Query(msgspec.Struct, frozen=True, kw_only=True, tag_field="query"):
    pass


class GetMachines(_Query, frozen=True, tag="machines"):
    """-> Machines. Of one project (its file is read when it has changed), or of all known."""

    project: str = ""


class GetDestroyed(_Query, frozen=True, tag="destroyed"):
    """-> Destroyed. Of one project, or of all."""

    project: str = ""


class GetProject(_Query, frozen=True, tag="project"):
    """-> ProjectView."""

    project: str


class GetBoxes(_Query, frozen=True, tag="boxes"):
    """-> Boxes."""

    name: str = ""


class GetProviders(_Query, frozen=True, tag="providers"):
    """-> Providers: the probes as they were last made."""


class GetOperations(_Query, frozen=True, tag="operations"):
    """-> Operations, newest first."""

    project: str = ""
    running: bool = False
    limit: int = 100


class GetOperation(_Query, frozen=True, tag="operation"):
    """-> OperationView."""

    operation: str


class GetLog(_Query, frozen=True, tag="log"):
    """-> Log: a part of an operation's log."""

    operation: str
    offset: int = 0
    limit: int = 262144


class GetSerial(_Query, frozen=True, tag="serial"):
    """-> Log: the end of what a machine's serial console said."""

    machine: MachineKey
    limit: int = 65536


class GetBuild(_Query, frozen=True, tag="build"):
    """-> BuildNow: of an operation that builds, what can be said and seen while it runs."""

    operation: str


class GetEngine(_Query, frozen=True, tag="engine"):
    """-> EngineView."""


Query = (
    GetMachines
    | GetDestroyed
    | GetProject
    | GetBoxes
    | GetProviders
    | GetOperations
    | GetOperation
    | GetLog
    | GetSerial
    | GetBuild
    | GetEngine
)


class Machines(msgspec.Struct, frozen=True, tag="machines"):
    machines: tuple[Machine, ...]
    problem: Problem | None = None
    """Why the project's file could not be read (the machines are then those that exist)."""


class Destroyed(msgspec.Struct, frozen=True, tag="destroyed"):
    machines: tuple[Kept, ...]
    """Those that can be brought back, the last that went first."""


class BuildView(msgspec.Struct, frozen=True, kw_only=True):
    """A build of a project and how it stands."""

    name: str
    description: str = ""
    state: str = "missing"
    """``missing``, ``stale``, ``fresh`` or ``running``."""
    box: Box | None = None
    """What it made last, if that is still in the store."""
    operation: str = ""
    """The last or running operation of it, "" for none."""
    question: str = ""
    """What it asks (a step failed, or is to begin), "" for nothing."""
    answers: dict[str, str] = {}
    """The words that answer it, each with what it does."""
    asked: float = 0.0
    """When it was asked."""
    failure: Problem | None = None
    """Why the step failed that it asks about."""
    files: tuple[str, ...] = ()
    """What that step reads again when it is run again."""
    endpoint: Endpoint | None = None
    """Of the guest that the question is about, or that a failed run was to leave as it was."""
    screens: dict[str, str] = {}
    """By source: private sockets that speak VNC."""
    made: float = 0.0
    """When it made what is there, 0 where nothing is."""
    artifacts: tuple[str, ...] = ()
    """What that is, of a template: each in a few words, with its files."""
    box_files: tuple[str, ...] = ()
    """Archives of boxes among them."""


class BuildNow(msgspec.Struct, frozen=True, kw_only=True, tag="build"):
    project: str
    name: str
    """As :class:`core.model.command.AnswerBuild` wants them."""
    question: str = ""
    """What it asks, "" for nothing."""
    answers: dict[str, str] = {}
    endpoint: Endpoint | None = None
    """Of the guest that the question is about."""
    screens: dict[str, str] = {}
    """By source: private sockets that speak VNC."""


class ProjectView(msgspec.Struct, frozen=True, kw_only=True, tag="project"):
    root: str
    file: str = ""
    name: str = ""
    builds: tuple[BuildView, ...] = ()
    machines: tuple[str, ...] = ()
    """Names in the order of the file."""
    provisioners: dict[str, tuple[str, ...]] = {}
    """By machine: titles in order."""
    problem: Problem | None = None


class Boxes(msgspec.Struct, frozen=True, tag="boxes"):
    boxes: tuple[BoxUse, ...]


class Providers(msgspec.Struct, frozen=True, tag="providers"):
    probes: tuple[Probe, ...]


class Operations(msgspec.Struct, frozen=True, tag="operations"):
    operations: tuple[Operation, ...]


class OperationView(msgspec.Struct, frozen=True, tag="operation"):
    operation: Operation
    steps: tuple[Step, ...]
    segments: tuple[LogSegment, ...]
    log: str
    """Path of the log file."""


class Log(msgspec.Struct, frozen=True, tag="log"):
    data: bytes
    offset: int
    size: int
    """Bytes of the whole."""
    path: str = ""
    segments: tuple[LogSegment, ...] = ()
    """Of an operation's log: which step wrote which part of ``data`` (offsets are those of the file)."""


class EngineView(msgspec.Struct, frozen=True, kw_only=True, tag="engine"):
    version: str
    pid: int
    started: float
    clients: int
    running: int
    """Operations that run or wait."""
    idle_exit: float
    """Seconds without work and clients after which the engine ends; 0: never."""
    data: str
    socket: str
    log: str
    trouble: str = ""
    """What a user should know of the engine's data, e.g. that a damaged journal was moved aside."""


Answer = (
    Machines
    | Destroyed
    | ProjectView
    | BuildNow
    | Boxes
    | Providers
    | Operations
    | OperationView
    | Log
    | EngineView
)

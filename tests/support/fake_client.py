"""A client without an engine: a world in memory that a test writes, and the commands that were given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from core.commands import BY_ID
from core.commands.line import command_line
from core.errors import BoxwrightError, NotFoundError
from core.model import query as q
from core.model.box import Box, BoxKey
from core.model.command import Command
from core.model.event import (
    BoxChanged,
    Change,
    Event,
    LogGrew,
    MachineChanged,
    OperationChanged,
    ProjectChanged,
    Snapshot,
    StepChanged,
)
from core.model.machine import Disk, Endpoint, Forward, Holder, Machine, MachineKey, MachineState, Stats
from core.model.operation import LogSegment, Operation, Progress, Step, StepState
from core.model.problem import Problem
from core.model.provider import Capability, Probe

SHOP = "/home/ada/shop"
NOW = 1_700_000_000.0


class FakeSerial:
    """Echoes what is written."""

    def __init__(self, greeting: bytes) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queue.put_nowait(greeting)
        self.written = b""

    async def read(self) -> bytes:
        return await self._queue.get()

    async def write(self, data: bytes) -> None:
        self.written += data
        self._queue.put_nowait(data)

    async def close(self) -> None:
        self._queue.put_nowait(b"")


class FakeClient:
    """See :class:`core.client.base.Client`. Change the world with ``machine``, ``operation``, ``step``,
    ``box``, ``log`` and ``project``; look at ``submitted``. ``folder`` takes the logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seq = 1
        self.machines: dict[str, Machine] = {}
        self.boxes: dict[str, Box] = {}
        self.operations: dict[str, Operation] = {}
        self.steps: dict[str, dict[int, Step]] = {}
        self.probes: tuple[Probe, ...] = ()
        self.projects: dict[str, q.ProjectView] = {}
        self.segments: dict[str, list[LogSegment]] = {}
        self.submitted: list[Command] = []
        self.cancelled: list[str] = []
        self.refused: BoxwrightError | None = None
        self.serials: list[FakeSerial] = []
        self.gone: Exception | None = None
        self.revives = False
        """A question starts the engine again, as a command does."""
        self.refreshed = 0
        self.stats_of: list[Stats] = []
        """Measurements to come; without any, there are no statistics."""
        self.measured = 0
        self._readers: list[asyncio.Queue[Event | Exception]] = []

    def __call__(self, *, start: bool) -> FakeClient:
        """It is its own connector."""
        if start:
            self.gone = None
        return self

    # The world.

    def publish(self, change: Change) -> None:
        self.seq += 1
        for reader in self._readers:
            reader.put_nowait(Event(self.seq, change))

    def machine(self, machine: Machine) -> None:
        self.machines[str(machine.key)] = machine
        self.publish(MachineChanged(machine))

    def box(self, box: Box) -> None:
        self.boxes[str(box.key)] = box
        self.publish(BoxChanged(box))

    def operation(self, operation: Operation) -> None:
        self.operations[operation.id] = operation
        self.publish(OperationChanged(operation))

    def step(self, step: Step) -> None:
        self.steps.setdefault(step.operation, {})[step.id] = step
        self.publish(StepChanged(step))

    def project(self, view: q.ProjectView) -> None:
        self.projects[view.root] = view
        self.publish(ProjectChanged(view.root))

    def log_path(self, operation: str) -> Path:
        return self.folder / f"{operation}.log"

    def log(self, operation: str, data: bytes, step: int = 1) -> None:
        path = self.log_path(operation)
        with path.open("ab") as file:
            offset = file.tell()
            file.write(data)
        self.segments.setdefault(operation, []).append(LogSegment(step, offset, len(data), NOW))
        if operation in self.operations:
            known = self.operations[operation]
            self.operations[operation] = msgspec.structs.replace(known, log_size=offset + len(data))
        self.publish(LogGrew(operation, offset + len(data)))

    def end(self, error: Exception) -> None:
        """The engine goes away."""
        self.gone = error
        for reader in self._readers:
            reader.put_nowait(error)

    # The client.

    async def submit(self, command: Command) -> str:
        if self.refused is not None:
            raise self.refused
        self.submitted.append(command)
        spec = BY_ID[str(type(command).__struct_config__.tag)]
        machine = getattr(command, "machine", None)
        subject = str(machine) if machine else ""
        operation = Operation(
            id=f"{len(self.operations) + 1:06d}",
            command=spec.id,
            title=f"{spec.name} {machine.name if machine else getattr(command, 'name', '')}".strip(),
            subject=subject,
            project=SHOP,
            state=StepState.RUNNING,
            submitted=time.time(),
            started=time.time(),
            command_line=command_line(command),
        )
        self.operation(operation)
        return operation.id

    async def cancel(self, operation: str) -> None:
        self.cancelled.append(operation)

    async def query(self, query: q.Query) -> q.Answer:
        if self.revives:
            self.gone = None
        if self.gone is not None:
            raise self.gone
        match query:
            case q.GetProject(project=root):
                return self.projects.get(root, q.ProjectView(root=root))
            case q.GetOperation(operation=name):
                if name not in self.operations:
                    raise NotFoundError(f"There is no operation {name}.")
                steps = tuple(self.steps.get(name, {}).values())
                segments = tuple(self.segments.get(name, ()))
                return q.OperationView(self.operations[name], steps, segments, str(self.log_path(name)))
            case q.GetOperations():
                return q.Operations(tuple(reversed(self.operations.values())))
            case q.GetLog(operation=name, offset=offset, limit=limit):
                whole = self.log_path(name).read_bytes() if self.log_path(name).exists() else b""
                return q.Log(data=whole[offset : offset + limit], offset=offset, size=len(whole))
            case q.GetSerial():
                data = b"[    0.000000] Linux version 6.1\r\n[    1.2] Run /init\r\n"
                return q.Log(data=data, offset=0, size=len(data))
            case q.GetEngine():
                return q.EngineView(
                    version="1.0",
                    pid=4711,
                    started=time.time() - 60,
                    clients=1,
                    running=0,
                    idle_exit=900,
                    data="/home/ada/.local/share/boxwright",
                    socket="/run/engine.sock",
                    log="/dev/null",
                )
        raise NotImplementedError(query)

    async def subscribe(self, since: int = 0) -> AsyncIterator[Snapshot | Event]:
        if self.gone is not None:
            raise self.gone
        queue: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self._readers.append(queue)
        try:
            yield self.snapshot()
            while True:
                item = await queue.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._readers.remove(queue)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            seq=self.seq,
            machines=tuple(self.machines.values()),
            boxes=tuple(self.boxes.values()),
            operations=tuple(self.operations.values()),
            steps=tuple(
                step
                for name, steps in self.steps.items()
                if not self.operations[name].state.ended
                for step in steps.values()
            ),
            providers=self.probes,
        )

    async def refresh(self, project: str = "") -> None:
        self.refreshed += 1

    async def stats(self, machine: MachineKey) -> object:
        self.measured += 1
        if not self.stats_of:
            raise NotFoundError("no statistics")
        return self.stats_of.pop(0)

    async def serial(self, machine: MachineKey) -> FakeSerial:
        self.serials.append(FakeSerial(b"\x1b[32mserial of " + machine.name.encode() + b"\x1b[0m\r\n"))
        return self.serials[-1]

    async def close(self) -> None:
        pass


# A world to look at.


def machine(
    name: str, state: MachineState = MachineState.RUNNING, *, project: str = SHOP, **more: object
) -> Machine:
    made = Machine(
        key=MachineKey(project, name),
        state=state,
        id="" if state is MachineState.ABSENT else "0123456789ab",
        project_name=project.rpartition("/")[2],
        provider="qemu",
        provider_reason="the first usable one of the project's list",
        box="debian/bookworm64",
        box_version="12.5",
        cpus=2,
        memory=1 << 30,
    )
    if state is MachineState.RUNNING:
        end = Endpoint(
            host="127.0.0.1", port=2222, user="vagrant", identity="/keys/web", known_hosts="/keys/known"
        )
        ports = (Forward(22, 2222, name="ssh"), Forward(80, 8081, 8080))
        made = msgspec.structs.replace(made, endpoint=end, ports=ports, started=NOW, provisioned=True)
    return msgspec.structs.replace(made, **more)


def box(name: str, version: str = "12.5", provider: str = "qemu") -> Box:
    return Box(
        key=BoxKey(name, version, provider, "amd64"),
        disks=(Disk(path="/boxes/disk.qcow2", size=10 << 30),),
        size=412 << 20,
        added=NOW,
        checksum="sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        url=f"https://boxes.example/{name}",
    )


def up(id: str, name: str, state: StepState = StepState.RUNNING, **more: object) -> Operation:
    ended = NOW + 41.0 if state.ended else 0.0
    made = Operation(
        id=id, command="machine.up", title=f"up {name}", subject=f"{SHOP}:{name}", project=SHOP, state=state,
        submitted=NOW, started=NOW, ended=ended, command_line=f"boxwright up {name}",
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def shop(folder: Path) -> FakeClient:
    """A project with machines in several states, boxes, builds, one operation that runs, one that failed."""
    world = FakeClient(folder)
    world.probes = (
        Probe(provider="qemu", usable=True, version="7.2", why="TCG", capabilities=tuple(Capability)),
        Probe(provider="docker", usable=True, version="20.10"),
        Probe(
            provider="virtualbox",
            usable=False,
            why="VBoxManage is not installed.",
            remedy="apt install virtualbox",
        ),
    )
    holder = Holder(operation="000001", action="up", since=NOW)
    for made in (
        machine("web"),
        machine("db", MachineState.STARTING, holder=holder),
        machine("cache", MachineState.STOPPED, provider="docker"),
        machine("spare", MachineState.ABSENT),
        machine("old", MachineState.BROKEN, trouble="Its disk is gone: /machines/old/disk.qcow2"),
    ):
        world.machines[str(made.key)] = made
    for made_box in (box("debian/bookworm64"), box("debian/bookworm64", "12.4"), box("shop/base", "3")):
        world.boxes[str(made_box.key)] = made_box
    world.operations["000001"] = up("000001", "db")

    def step(operation: str, id: int, name: str, state: StepState, took: float = 0.0, **more: object) -> Step:
        started = 0.0 if state is StepState.WAITING else NOW
        made = Step(
            operation=operation,
            id=id,
            name=name,
            state=state,
            started=started,
            ended=NOW + took if state.ended else 0.0,
        )
        return msgspec.structs.replace(made, **more)

    phases = "port open 4.8 s · banner 5.2 s · host key · authenticated"
    apt = "Provision 1/2 shell: apt-get update"
    running = (
        step("000001", 1, "Box debian/bookworm64 12.5", StepState.CACHED),
        step("000001", 2, "Linked clone", StepState.DONE, 0.1),
        step("000001", 3, "Start", StepState.DONE, 0.4),
        step("000001", 4, "Wait for SSH", StepState.DONE, 6.1, detail=phases),
        step("000001", 5, apt, StepState.RUNNING, progress=Progress(3, 8, "files", 0.5), lines=12),
        step("000001", 6, "Provision 2/2 file: site.conf", StepState.WAITING),
    )
    world.steps["000001"] = {item.id: item for item in running}
    failure = Problem(
        what="The provisioner 'setup' ended with status 100.",
        why="apt-get install -y nginxx",
        remedy="boxwright provision web --start-at 1",
        tail=("Reading package lists...", "E: Unable to locate package nginxx"),
    )
    world.operations["000000"] = up("000000", "web", StepState.FAILED, problem=failure)
    ended = (
        step("000000", 1, "Start", StepState.DONE, 0.4),
        step("000000", 2, "Provision 1/1 setup", StepState.FAILED, 9.0, problem=failure),
    )
    world.steps["000000"] = {item.id: item for item in ended}
    world.projects[SHOP] = q.ProjectView(
        root=SHOP,
        file=f"{SHOP}/boxwright.toml",
        name="shop",
        machines=("web", "db", "cache", "spare", "old"),
        builds=(
            q.BuildView(
                name="base", state="fresh", box=box("shop/base", "3"), description="The base of all machines"
            ),
            q.BuildView(name="windows", state="missing"),
        ),
        provisioners={"web": ("setup",), "db": ("apt-get update", "site.conf")},
    )
    return world

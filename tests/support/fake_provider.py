"""A provider in memory: the same protocol, and hands to hold, fail and disturb it by.

    hypervisor = FakeHypervisor()
    provider = FakeProvider(hypervisor)
    gate = hypervisor.hold("start")            # the next start waits ...
    await gate.reached.wait()                  # ... here ...
    gate.release()                             # ... until now
    hypervisor.fail("stop", ProviderError("no"))
    hypervisor.say(plan.id, b"login: ")
    hypervisor.kill(plan.id)                   # watch() tells

Machines live in the hypervisor, as they do at a real one: a second provider with the same hypervisor is a
second engine that finds them. Each machine also has a small disk file in its folder, which can be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from core.errors import BoxwrightError, NotFoundError, ProviderError, UsageError
from core.model.machine import Forward, MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work
from core.providers import ports
from core.providers.base import Seen, Started, StateChange
from core.providers.news import News
from core.undo import SHARED, remove

ALL = frozenset(Capability) - {Capability.RECOVER, Capability.SCREEN}
"""Its machines lie in memory, not in their folders."""


class Gate:
    """Where an action waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    def release(self) -> None:
        self._open.set()

    async def pass_through(self) -> None:
        self.reached.set()
        await self._open.wait()


class FakeMachine:
    """A machine at the fake hypervisor."""

    def __init__(self, plan: MachinePlan, disks: tuple[Path, ...], serial: Path) -> None:
        self.plan = plan
        self.state = MachineState.STOPPED
        self.disks = disks
        self.serial = serial
        self.ports: tuple[Forward, ...] = ()
        self.snapshots: list[Snapshot] = []
        self.deaf = False
        """The guest ignores the power button."""
        self.typed = b""
        """What consoles wrote."""
        self.started = 0.0
        self.memory = 0
        """Stands for all that a guest remembers until it is halted."""
        self.disk = 0
        """Stands for all that is on its disks."""
        self.kept: dict[str, tuple[int, int]] = {}
        """Memory and disk of snapshots."""
        self.lookers: set[FakeConsole] = set()

    def seen(self) -> Seen:
        missing = [path for path in self.disks if not path.exists()]
        if missing and self.state in (MachineState.STOPPED, MachineState.SUSPENDED):
            return Seen(
                state=MachineState.BROKEN, trouble=f"The disk {missing[0]} is gone. boxwright destroy"
            )
        if missing:
            return Seen(state=self.state, trouble=f"The disk {missing[0]} is gone.", started=self.begun())
        running = self.state is MachineState.RUNNING
        return Seen(state=self.state, started=self.begun() if running else None)

    def begun(self) -> Started:
        ssh = next((forward.host for forward in self.ports if forward.guest == 22), 22)
        return Started(ports=self.ports, ssh_port=ssh, facts={"acceleration": "none (a fake)"})

    def say(self, data: bytes) -> None:
        with self.serial.open("ab") as file:
            file.write(data)
        for looker in self.lookers:
            looker.feed(data)

    def halt(self, state: MachineState) -> None:
        self.state = state
        for looker in tuple(self.lookers):
            looker.feed(b"")


class FakeHypervisor:
    """What outlives an engine."""

    def __init__(self) -> None:
        self.machines: dict[str, FakeMachine] = {}
        self.calls: list[tuple[str, str]] = []
        """(action, machine id) of every action that was begun."""
        self._gates: dict[tuple[str, str], Gate] = {}
        self._failures: dict[tuple[str, str], BoxwrightError] = {}
        self.news: set[News] = set()
        """One of each provider that is connected."""
        self.greeting = b"booting\r\nready\r\n"
        """What a guest says as it is started."""

    def hold(self, action: str, machine_id: str = "") -> Gate:
        """The next ``action`` (of this machine, or of any) waits at the gate, its work half done."""
        return self._gates.setdefault((action, machine_id), Gate())

    def fail(self, action: str, error: BoxwrightError, machine_id: str = "") -> None:
        """The next ``action`` raises ``error``, its work half done."""
        self._failures[action, machine_id] = error

    async def begin(self, action: str, machine_id: str) -> None:
        """Called by the provider in the middle of each action."""
        self.calls.append((action, machine_id))
        for key in ((action, machine_id), (action, "")):
            gate = self._gates.pop(key, None)
            if gate:
                await gate.pass_through()
            error = self._failures.pop(key, None)
            if error:
                raise error
        await asyncio.sleep(0)

    def say(self, machine_id: str, data: bytes) -> None:
        """The guest writes to its serial port."""
        self.machines[machine_id].say(data)

    def power_off(self, machine_id: str) -> None:
        """The guest powers off by itself."""
        self._end(machine_id, Seen(state=MachineState.STOPPED))

    def kill(self, machine_id: str) -> None:
        """Somebody kills the machine's process."""
        self._end(machine_id, Seen(state=MachineState.STOPPED, trouble="It was killed from outside."))

    def _end(self, machine_id: str, seen: Seen) -> None:
        self.machines[machine_id].halt(MachineState.STOPPED)
        self.push(machine_id, seen)

    def push(self, machine_id: str, seen: Seen) -> None:
        """Whoever watches learns this."""
        for news in self.news:
            news.tell(StateChange(machine_id, seen))

    def used_ports(self, but: str) -> set[tuple[str, int]]:
        return {
            (forward.protocol, forward.host)
            for machine_id, machine in self.machines.items()
            for forward in machine.ports
            if machine_id != but
        }


class FakeConsole:
    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        if machine.serial.stat().st_size:
            self.feed(machine.serial.read_bytes())
        machine.lookers.add(self)

    def feed(self, data: bytes) -> None:
        self._chunks.put_nowait(data)

    async def read(self) -> bytes:
        data = await self._chunks.get()
        if not data:
            self.feed(b"")
        return data

    async def write(self, data: bytes) -> None:
        if self._machine.state is not MachineState.RUNNING:
            raise ProviderError("The machine does not run.")
        self._machine.typed += data
        self._machine.say(data)

    async def close(self) -> None:
        self._machine.lookers.discard(self)
        self.feed(b"")


class FakeProvider:
    """See :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "fake"
    box_formats: ClassVar[tuple[str, ...]] = ("qemu", "libvirt")
    capabilities: ClassVar[frozenset[Capability]] = ALL

    def __init__(
        self,
        hypervisor: FakeHypervisor | None = None,
        *,
        capabilities: Iterable[Capability] = ALL,
        unusable: str = "",
        remedy: str = "",
    ) -> None:
        self.hypervisor = hypervisor or FakeHypervisor()
        self.offered = frozenset(capabilities)
        self.unusable = unusable
        self.remedy = remedy
        self.claims = ports.Claims()
        self.undo: UndoTable = {
            **SHARED,
            "fake.machine": self._undo_create,
            "fake.start": self._undo_start,
            "fake.suspend": self._undo_suspend,
            "fake.resume": self._undo_resume,
            "fake.snapshot": self._undo_snapshot,
        }
        self._news = News()
        self.hypervisor.news.add(self._news)

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return Probe(
            provider=self.name,
            usable=not self.unusable,
            version="" if self.unusable else "1.0",
            why=self.unusable or "in memory",
            remedy=self.remedy,
            capabilities=tuple(sorted(self.offered)),
        )

    def check(self, options: Mapping[str, Any]) -> None:
        for key in options:
            if key != "colour":
                raise UsageError(f"The fake provider has no option {key!r}.", why="Known are: colour.")

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        return True

    async def create(self, plan: MachinePlan, work: Work) -> None:
        self.check(plan.options)
        if plan.id in self.hypervisor.machines:
            raise ProviderError(f"The machine {plan.key.name} exists already.")
        work.intend("fake.machine", id=plan.id, folder=plan.folder)
        home = Path(plan.folder) / "fake"
        home.mkdir()
        disks = []
        for number, disk in enumerate(plan.disks):
            if not Path(disk.path).exists():
                raise ProviderError(
                    f"The box's disk image {disk.path} is missing.", remedy="add the box again"
                )
            disks.append(home / f"disk{number}")
        disks += [home / f"extra-{number}" for number, _ in enumerate(plan.extra_disks)]
        for path in disks:
            path.write_bytes(b"an overlay")
        await self.hypervisor.begin("create", plan.id)
        images = tuple(Path(disk.path) for disk in plan.disks)
        (home / "serial.log").touch()
        self.hypervisor.machines[plan.id] = FakeMachine(plan, (*disks, *images), home / "serial.log")

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        original = self._machine(source)
        if original.seen().state is MachineState.BROKEN:
            raise ProviderError(f"The machine {source.key.name} is broken.", why=original.seen().trouble)
        await self.create(plan, work)
        await self.hypervisor.begin("clone", plan.id)
        self.hypervisor.machines[plan.id].disk = original.disk

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        machine = self._machine(plan)
        self._refuse_running(plan, machine)
        if snapshot:
            begun = await self.restore_snapshot(plan, snapshot, work)
            if begun:
                return begun
        work.intend("fake.start", id=plan.id)
        return await self._boot(plan, machine, "start", with_memory=False)

    async def _boot(
        self, plan: MachinePlan, machine: FakeMachine, action: str, *, with_memory: bool
    ) -> Started:
        chosen = ports.choose(
            plan, self.claims, machine.ports, others=self.hypervisor.used_ports(but=plan.id)
        )
        try:
            machine.state = MachineState.STARTING
            await self.hypervisor.begin(action, plan.id)
        except BaseException:
            machine.state = MachineState.SUSPENDED if with_memory else MachineState.STOPPED
            raise
        finally:
            self.claims.release(plan.id)
        machine.ports = chosen
        machine.started = time.monotonic()
        machine.state = MachineState.RUNNING
        if not with_memory:
            machine.memory = 0
            machine.serial.write_bytes(b"")
            machine.say(self.hypervisor.greeting)
        return machine.begun()

    def _refuse_running(self, plan: MachinePlan, machine: FakeMachine) -> None:
        seen = machine.seen()
        if seen.state is not MachineState.STOPPED:
            raise ProviderError(f"The machine {plan.key.name} is {seen.state}.", why=seen.trouble)

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        machine = self.hypervisor.machines.get(plan.id)
        if machine is None or machine.state is MachineState.STOPPED:
            return
        if not force:
            work.note("asking the guest to power off")
            await self.hypervisor.begin("stop", plan.id)
            if machine.deaf:
                await asyncio.sleep(plan.halt_timeout)
                work.note("by force")
        machine.halt(MachineState.STOPPED)

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        machine = self._running(plan)
        intent = work.intend("fake.suspend", id=plan.id)
        work.progress(1, 2, "B")
        await self.hypervisor.begin("suspend", plan.id)
        machine.halt(MachineState.SUSPENDED)
        intent.settle()

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        machine = self._machine(plan)
        if machine.state is not MachineState.SUSPENDED:
            raise ProviderError(f"The machine {plan.key.name} is {machine.state}, not suspended.")
        work.intend("fake.resume", id=plan.id)
        return await self._boot(plan, machine, "resume", with_memory=True)

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await self.hypervisor.begin("destroy", plan.id)
        await self._undo_create({"id": plan.id, "folder": plan.folder})
        with contextlib.suppress(OSError):
            Path(plan.runtime).rmdir()

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        found = {}
        for plan in plans:
            machine = self.hypervisor.machines.get(plan.id)
            found[plan.id] = machine.seen() if machine else Seen(state=MachineState.ABSENT)
        return found

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        machine = self.hypervisor.machines.get(plan.id)
        return tuple(machine.snapshots) if machine else ()

    async def save_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        machine = self._machine(plan)
        if not name.strip():
            raise UsageError("A snapshot needs a name.")
        if any(point.name == name for point in machine.snapshots):
            raise UsageError(f"There is a snapshot {name!r} already.")
        if machine.state is MachineState.SUSPENDED:
            raise ProviderError("The machine is suspended.")
        work.intend("fake.snapshot", id=plan.id, name=name)
        await self.hypervisor.begin("save_snapshot", plan.id)
        parent = next((point.name for point in machine.snapshots if point.current), "")
        size = 4096 if machine.state is MachineState.RUNNING else 0
        point = Snapshot(name=name, created=time.time(), size=size, parent=parent, current=True)
        machine.snapshots = [*_with_current(machine.snapshots, ""), point]
        machine.kept[name] = (machine.memory, machine.disk)

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        machine = self._machine(plan)
        point = self._point(plan, machine, name)
        await self.hypervisor.begin("restore_snapshot", plan.id)
        was_running = machine.state is MachineState.RUNNING
        machine.snapshots = _with_current(machine.snapshots, name)
        machine.disk = machine.kept[name][1]
        machine.halt(MachineState.STOPPED)
        if not point.has_memory and not was_running:
            return None
        work.intend("fake.start", id=plan.id)
        begun = await self._boot(plan, machine, "start", with_memory=False)
        if point.has_memory:
            machine.memory = machine.kept[name][0]
        return begun

    async def delete_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        machine = self._machine(plan)
        self._point(plan, machine, name)
        await self.hypervisor.begin("delete_snapshot", plan.id)
        await self._undo_snapshot({"id": plan.id, "name": name})

    async def console(self, plan: MachinePlan) -> FakeConsole:
        return FakeConsole(self._running(plan))

    def serial_log(self, plan: MachinePlan) -> str | None:
        return str(Path(plan.folder) / "fake" / "serial.log")

    async def stats(self, plan: MachinePlan) -> Stats:
        machine = self._running(plan)
        age = time.monotonic() - machine.started
        return Stats(
            time=time.time(), cpu_seconds=age / 10, memory=plan.memory // 2, disk_read=int(age * 1000)
        )

    def watch(self) -> AsyncIterator[StateChange]:
        return self._news.watch()

    async def close(self) -> None:
        self.hypervisor.news.discard(self._news)
        self._news.close()

    def _machine(self, plan: MachinePlan) -> FakeMachine:
        machine = self.hypervisor.machines.get(plan.id)
        if machine is None:
            raise ProviderError(f"The machine {plan.key.name} does not exist.", remedy="boxwright up")
        return machine

    def _running(self, plan: MachinePlan) -> FakeMachine:
        machine = self._machine(plan)
        if machine.state is not MachineState.RUNNING:
            raise ProviderError(f"The machine {plan.key.name} does not run.", remedy="boxwright up")
        return machine

    def _point(self, plan: MachinePlan, machine: FakeMachine, name: str) -> Snapshot:
        for point in machine.snapshots:
            if point.name == name:
                return point
        raise NotFoundError(f"The machine {plan.key.name} has no snapshot {name!r}.")

    async def _undo_create(self, facts: Mapping[str, Any]) -> None:
        machine = self.hypervisor.machines.pop(facts["id"], None)
        if machine:
            machine.halt(MachineState.ABSENT)
        remove(Path(facts["folder"]) / "fake")

    async def _undo_start(self, facts: Mapping[str, Any]) -> None:
        machine = self.hypervisor.machines.get(facts["id"])
        if machine and machine.state is not MachineState.STOPPED:
            machine.halt(MachineState.STOPPED)

    async def _undo_suspend(self, facts: Mapping[str, Any]) -> None:
        """A suspension is one step here: it has happened or not."""

    async def _undo_resume(self, facts: Mapping[str, Any]) -> None:
        machine = self.hypervisor.machines.get(facts["id"])
        if machine and machine.state is MachineState.STARTING:
            machine.halt(MachineState.SUSPENDED)

    async def _undo_snapshot(self, facts: Mapping[str, Any]) -> None:
        machine = self.hypervisor.machines.get(facts["id"])
        gone = next((p for p in machine.snapshots if p.name == facts["name"]), None) if machine else None
        if machine is None or gone is None:
            return
        kept = [
            msgspec.structs.replace(point, parent=gone.parent) if point.parent == gone.name else point
            for point in machine.snapshots
            if point is not gone
        ]
        machine.snapshots = _with_current(kept, gone.parent) if gone.current else kept


def _with_current(points: list[Snapshot], name: str) -> list[Snapshot]:
    return [msgspec.structs.replace(point, current=point.name == name) for point in points]

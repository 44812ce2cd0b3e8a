"""What every provider is: the protocol that the engine drives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import msgspec

from core.model.machine import SSH, Forward, MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a machine that was started."""

    ports: tuple[Forward, ...] = ()
    """The forwardings as they really are."""
    communicator: str = SSH
    """How the guest is reached; see :class:`core.model.machine.Endpoint`, also for the next three."""
    ssh_host: str = "127.0.0.1"
    ssh_port: int = 22
    target: str = ""
    addressed: bool = False
    """The interfaces of ``plan.networks`` have their addresses by now. Else the engine sets them inside the
    guest, where it finds each interface by its MAC."""
    screen: str = ""
    """Path of the private socket at which its screen is looked at by VNC; "" where it has none."""
    facts: dict[str, str] = {}
    """For the display, e.g. the acceleration and why."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider finds when it looks for a machine."""

    state: MachineState
    trouble: str = ""
    started: Started | None = None
    """For a running machine: as ``start`` returned it, so that it can be adopted again."""


class StateChange(msgspec.Struct, frozen=True):
    """Pushed by ``watch``: the machine ``id`` is now in another state."""

    id: str
    seen: Seen


class Console(Protocol):
    """A serial console: bytes both ways. Several may look at one machine."""

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class Leftover(msgspec.Struct, frozen=True):
    """Something at the hypervisor that belonged to a machine which is no more."""

    what: str
    bytes: int


@runtime_checkable
class Pruning(Protocol):
    """What a provider can do besides where its hypervisor keeps lists of its own, e.g. of disks."""

    async def prune(self, machines: Path, known: Collection[str], *, dry_run: bool) -> tuple[Leftover, ...]:
        """Remove what lies below ``machines``, the folder of this user's machines, and is of none of
        ``known`` (their ids); with ``dry_run`` only say what would go."""


@runtime_checkable
class Migrating(Protocol):
    """What a provider with Capability.MIGRATE can do besides."""

    async def migrate(self, plan: MachinePlan, target: str, work: Work) -> Started:
        """Move a running machine to another place of the same kind, e.g. another connection of libvirt's,
        while its guest goes on. On failure it runs on where it was."""


@runtime_checkable
class Fetching(Protocol):
    """A provider whose hypervisor keeps what a console said, and writes no file of it."""

    async def fetch_console(self, plan: MachinePlan) -> None:
        """Put what the console has said since to the end of ``serial_log``, where that can be had."""


class Provider(Protocol):
    """A hypervisor. Instances are made once per engine and keep no state that a restart would miss:
    what must survive lies in the machine's folder or at the hypervisor.

    Methods raise ProviderError (or another BoxwrightError) with a remedy. What makes something
    outside says so first (``work.intend``) with a kind from ``undo``.
    """

    name: ClassVar[str]
    box_formats: ClassVar[tuple[str, ...]]
    """Boxes for these providers can be used, the most fitting first, e.g. ("qemu", "libvirt")."""
    capabilities: ClassVar[frozenset[Capability]]
    undo: UndoTable

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        """Is it usable here? Never raises; quick (under a second).

        With the options of a machine: is it where they say that the machine is to be?
        """

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise UsageError where the provider's table of the project file is wrong."""

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        """False where the options say what the machine is made of, e.g. an image of the provider's own."""

    async def create(self, plan: MachinePlan, work: Work) -> None:
        """Make the machine, stopped: linked clones of ``plan.disks``, extra disks, definition."""

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        """Make ``plan``, which does not exist, a stopped linked copy of ``source``, in its folder.

        The copy has the disks of ``source``, which stays as it is, with its snapshots, and needs the copy
        as little as the copy needs it: either may be destroyed. Of a machine that runs the disks are
        copied as they are at one moment: what the copy finds is what it would find after a power cut.
        Only with Capability.CLONE.
        """

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        """Start a stopped machine (from ``snapshot`` with its memory where that has one)."""

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        """Halt in order, by force after ``plan.halt_timeout``; at once with ``force``.
        A machine that is stopped already is no error. Of a suspended one the saved memory goes."""

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        """Save memory to disk and stop."""

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        """Continue a suspended machine."""

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        """Remove all of it, in whatever state it is; nothing there is no error.
        The machine's folder itself is removed by the caller afterwards."""

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        """What is really there, by machine id: one bulk look at the hypervisor."""

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        """Oldest first."""

    async def save_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        """With memory when the machine runs. The name must be new."""

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        """Disk, and memory where the snapshot has it. Returns Started when the machine runs afterwards."""

    async def delete_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None: ...

    async def console(self, plan: MachinePlan) -> Console:
        """The serial console of a running machine, beginning with what it said lately."""

    def serial_log(self, plan: MachinePlan) -> str | None:
        """Path of the file that keeps what the serial console said since the start, None without one."""

    async def stats(self, plan: MachinePlan) -> Stats: ...

    def watch(self) -> AsyncIterator[StateChange]:
        """Changes that nobody here asked for (a guest powers off, a process is killed), as they happen."""

    async def close(self) -> None:
        """Let go of connections; machines run on."""

"""The provider of libvirt's containers: what the engine drives."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NoReturn

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import Work
from core.providers.base import Console, Seen, Started
from core.providers.libvirt import domains, power
from core.providers.libvirt.containers import freezing, options, probing, root, statistics
from core.providers.libvirt.containers.console import ListeningConsoles
from core.providers.libvirt.containers.definition import ROOT
from core.providers.libvirt.containers.options import placed
from core.providers.libvirt.containers.processes import first_process
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.provider import LibvirtProvider
from core.providers.libvirt.record import run_of
from core.providers.libvirt.relays import refuse_datagrams


class LxcProvider(LibvirtProvider):
    """Machines as containers of libvirt's LXC driver; see :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "lxc"
    box_formats: ClassVar[tuple[str, ...]] = ("lxd", "docker", "incus")
    capabilities: ClassVar[frozenset[Capability]] = probing.CAPABILITIES

    def __init__(self) -> None:
        super().__init__()
        self._consoles = self._listening = ListeningConsoles(self._context)

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return await probing.probe(options or {})

    def check(self, table: Mapping[str, Any]) -> None:
        options.check(table)

    async def create(self, plan: MachinePlan, work: Work) -> None:
        if plan.extra_disks:
            raise ProviderError(
                f"{plan.key.name} cannot have extra disks.",
                why="Containers of libvirt's have their root and nothing else.",
                remedy="take its 'disks' away, or choose another provider",
            )
        for port in plan.ports:
            refuse_datagrams(port)
        await super().create(placed(plan), work)

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        await super().clone(placed(source), placed(plan), work)

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        if snapshot:
            _no_snapshots()
        return await self._heard(plan, await power.start(self._context, placed(plan), work))

    async def _heard(self, plan: MachinePlan, began: Started) -> Started:
        await self._listening.listen(placed(plan), began.target)
        return began

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        wanted = await root.halt_signal(Layout.of(plan).home / ROOT)
        press = partial(_press, wanted)
        await power.stop(self._context, placed(plan), work, force=force, press=press)

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        await freezing.suspend(self._context, placed(plan), work)

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        return await freezing.resume(self._context, placed(plan), work)

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await super().destroy(placed(plan), work)

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        seen = await super().states([placed(plan) for plan in plans])
        for plan in plans:
            found = seen.get(plan.id)
            if found and found.state is MachineState.RUNNING and found.started:
                await self._heard(plan, found.started)
        return seen

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        return ()

    async def save_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        _no_snapshots()

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        _no_snapshots()

    async def delete_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        _no_snapshots()

    async def console(self, plan: MachinePlan) -> Console:
        return await super().console(placed(plan))

    def serial_log(self, plan: MachinePlan) -> str | None:
        return super().serial_log(placed(plan))

    async def stats(self, plan: MachinePlan) -> Stats:
        return await statistics.measure(self._context, placed(plan))


def _press(wanted: int, handle: Any, machine_id: str) -> bool:
    """The power button of a container is a signal to its first process."""
    domain = domains.find(handle, machine_id)
    if domain is None or not domain.isActive():
        return False
    domains.go_on(handle, machine_id)
    pid = first_process(run_of(domain.ID()))
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, wanted)
    # Without one it has just ended, or only begins: libvirt is about to say which.
    return True


def _no_snapshots() -> NoReturn:
    raise ProviderError(
        "Containers of libvirt's have no snapshots.",
        why="libvirt's LXC driver cannot make any.",
        remedy='boxwright clone, or provider = "lxd" or "docker"',
    )

"""What the contract needs of each provider under test: machines, and hands on the outside."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from core.errors import ProviderError
from core.model.machine import Disk, MachineKey, MachinePlan, MachineState, WantedPort
from core.providers.base import Provider, Seen
from tests.support.bootsector import SIZE, write_disk
from tests.support.work import RecordingWork

_RUN = secrets.token_hex(3)
"""Begins the ids of machines: two runs of the tests beside each other share neither names nor ports."""

SSH = WantedPort(guest=22, name="ssh")


class Bench(Protocol):
    """A provider under test, and what happens to its machines from outside."""

    provider: Provider
    plans: Plans

    def again(self) -> Provider:
        """The provider of the next engine, while or after the first one lives."""

    async def kill(self, plan: MachinePlan) -> None:
        """As the kernel does when memory is short."""

    async def power_off(self, plan: MachinePlan) -> None:
        """From inside of the guest."""

    async def deafen(self, plan: MachinePlan) -> None:
        """The guest ignores the power button from now on."""

    async def lose_disk(self, plan: MachinePlan) -> None:
        """Somebody deletes the machine's own disk."""

    async def traces(self, plan: MachinePlan) -> list[str]:
        """Processes and files of the machine, outside and inside of its folder."""

    async def count(self, plan: MachinePlan) -> int:
        """The guest counts one up in its memory; returns the count."""

    async def store(self, plan: MachinePlan) -> None:
        """The guest writes its count to its disk."""

    async def stored(self, plan: MachinePlan) -> int:
        """What the guest finds on its disk."""


class Plans:
    """Plans of machines below a private folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.image = write_disk(root / "box.img")
        self._numbers = itertools.count(1)

    def make(self, **changes: Any) -> MachinePlan:
        """A plan with an empty folder, as the engine hands it over."""
        number = next(self._numbers)
        machine_id = f"{_RUN}{number * 0x123457 % 0x1000000:06x}"
        folder = self.root / "machines" / machine_id
        folder.mkdir(parents=True)
        fields: dict[str, Any] = {
            "id": machine_id,
            "key": MachineKey(str(self.root), f"m{number}"),
            "folder": str(folder),
            "runtime": str(self.root / "run" / machine_id),
            "disks": (Disk(path=str(self.image), format="raw", size=SIZE),),
            "memory": 64 << 20,
            "ports": (SSH,),
            "halt_timeout": 30.0,
        }
        return MachinePlan(**{**fields, **changes})

    def lose_box(self, plan: MachinePlan) -> None:
        """Somebody deletes the image that the machine is a linked clone of."""
        Path(plan.disks[0].path).unlink()


class Machine:
    """A machine and what is done to it, one line each."""

    def __init__(self, bench: Bench, plan: MachinePlan, provider: Provider | None = None) -> None:
        self.bench = bench
        self.plan = plan
        self.provider = provider or bench.provider

    def work(self) -> RecordingWork:
        return RecordingWork(self.provider.undo)

    async def seen(self) -> Seen:
        return (await self.provider.states([self.plan]))[self.plan.id]

    async def state(self) -> MachineState:
        return (await self.seen()).state

    async def create(self) -> Machine:
        await self.provider.create(self.plan, self.work())
        return self

    async def clone(self, copy: Machine) -> Machine:
        """Make ``copy`` a clone of this one, and return it."""
        await self.provider.clone(self.plan, copy.plan, copy.work())
        return copy

    async def start(self) -> Machine:
        await self.provider.start(self.plan, self.work())
        return self

    async def destroy(self) -> None:
        await self.provider.destroy(self.plan, self.work())


async def refuses_another_architecture(machine: Machine) -> ProviderError:
    """What runs nowhere here is refused, by its name and with what mends it, at the start at the latest."""
    machine.plan = msgspec.structs.replace(machine.plan, architecture="riscv64")
    work = machine.work()
    with pytest.raises(ProviderError, match="riscv64") as raised:
        await machine.provider.create(machine.plan, work)
        await machine.provider.start(machine.plan, work)
    assert raised.value.problem.remedy
    await work.undo()
    assert await machine.bench.traces(machine.plan) == []
    return raised.value


NewMachine = Callable[..., Machine]

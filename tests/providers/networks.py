"""What every provider does that has private networks: mixed into the contract of those that claim it.

The bench's guests have to be able to reach one another: see :class:`NetworkBench`.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any, Protocol

from core.guests.keys import insecure_keys
from core.guests.networks import join_networks
from core.guests.quoting import as_root
from core.guests.wait import wait_for_guest
from core.model.machine import Disk, Endpoint, MachinePlan, PlannedNetwork
from core.providers.base import Provider
from tests.providers.bench import Bench, Machine, NewMachine, Plans
from tests.support.work import RecordingWork

PATIENCE = 240.0
"""Seconds for a guest to come up and be reached by another."""


class NetworkBench(Bench, Protocol):
    async def reaches(self, plan: MachinePlan, address: str) -> bool:
        """Whether the guest of a running machine gets an answer from that address over its network's
        interface, asked once; before, it is given its own address, where the provider has not done that."""


class TinyPlans(Plans):
    """Plans of machines with the tiny guest."""

    def __init__(self, root: Path, image: Path) -> None:
        super().__init__(root)
        self.tiny = Disk(path=str(image))

    def make(self, **changes: Any) -> MachinePlan:
        return super().make(**{"disks": (self.tiny,), "memory": 256 << 20, **changes})


class OverSsh:
    """For benches whose guests answer SSH with the well-known keys."""

    provider: Provider
    plans: Plans

    async def reaches(self, plan: MachinePlan, address: str) -> bool:
        began = (await self.provider.states([plan]))[plan.id].started
        assert began is not None
        endpoint = Endpoint(host=began.ssh_host, port=began.ssh_port, user="vagrant")
        keys = [str(path) for path in insecure_keys(self.plans.root)]
        guest = await wait_for_guest(endpoint, work=RecordingWork(), identities=keys, timeout=PATIENCE)
        if not began.addressed:
            await join_networks(guest, plan.networks)
        # Over that interface only: by other ways something else may answer in the name of the address.
        card = f"$(basename $(dirname $(grep -l {plan.networks[0].mac} /sys/class/net/*/address)))"
        ran = await guest.run(as_root(f"ping -c 1 -W 1 -I {card} {address}"))
        await guest.close()
        return ran.status == 0


class Wiring:
    """Networks that no other test has."""

    def __init__(self) -> None:
        self.block = secrets.randbelow(16)
        self.number = secrets.randbelow(120) * 2

    def place(self, last: int, other: int = 0) -> PlannedNetwork:
        """A place in the network, or in the ``other`` one."""
        digits = secrets.token_hex(3)
        return PlannedNetwork(
            name=f"bwt{self.block:x}{self.number:03}{other}",
            label="other" if other else "back",
            mac=f"52:54:00:{digits[:2]}:{digits[2:4]}:{digits[4:]}",
            subnet=f"10.{214 + self.block}.{self.number + other}.0/24",
            address=f"10.{214 + self.block}.{self.number + other}.{last}",
        )


async def reached(bench: NetworkBench, machine: Machine, other: Machine) -> bool:
    """Whether one machine reaches the other in the network that both are in, sooner or later."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while not await bench.reaches(machine.plan, other.plan.networks[0].address):
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(0.2)
    return True


async def begin(bench: NetworkBench, machine: Machine) -> None:
    """Start it, until its guest has its address."""
    await machine.start()
    assert await reached(bench, machine, machine)


class Networks:
    async def test_machines_of_one_network_reach_each_other_and_others_do_not(
        self, bench: NetworkBench, machines: NewMachine
    ) -> None:
        wiring = Wiring()
        one, two = [machines(networks=(wiring.place(last),)) for last in (10, 11)]
        outside = machines(networks=(wiring.place(10, other=1),))
        for machine in (one, two, outside):
            await machine.create()
        await asyncio.gather(*(begin(bench, machine) for machine in (one, two, outside)))
        assert await reached(bench, one, two)
        assert await reached(bench, two, one)
        assert not await bench.reaches(outside.plan, one.plan.networks[0].address)
        assert not await bench.reaches(one.plan, outside.plan.networks[0].address)
        await two.provider.stop(two.plan, two.work(), force=True)
        await begin(bench, two)
        assert await reached(bench, one, two)
        await one.destroy()
        assert await bench.traces(one.plan) == []
        await outside.destroy()
        await two.destroy()

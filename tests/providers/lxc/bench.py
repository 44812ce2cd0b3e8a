"""Containers of a real libvirt under test, with the guest that counts."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import libvirt

from core.guests.networks import join_networks
from core.model.machine import Endpoint, MachinePlan
from core.providers.base import Provider
from core.providers.libvirt import record as records
from core.providers.libvirt.containers.definition import ROOT
from core.providers.libvirt.containers.guest import NamespaceGuest
from core.providers.libvirt.containers.provider import LxcProvider
from core.providers.libvirt.layout import Layout, domain_uuid
from tests.providers.bench import Plans
from tests.providers.lxd.bench import LxdPlans

SOON = 30.0


class LxcBench:
    """The guest is spoken to by a command in it, over two pipes."""

    def __init__(self, root: Path, uri: str, rootfs: Path) -> None:
        self.uri = uri
        self.provider: Provider = LxcProvider()
        self.plans: Plans = LxdPlans(root, rootfs)
        self.later: list[Provider] = []

    def again(self) -> Provider:
        self.later.append(LxcProvider())
        self.provider = self.later[-1]
        return self.provider

    async def close(self) -> None:
        for provider in (self.provider, *self.later):
            await provider.close()

    def domain(self, plan: MachinePlan) -> libvirt.virDomain:
        """Seen by somebody else: over a connection of its own."""
        return libvirt.open(self.uri).lookupByUUIDString(domain_uuid(plan.id))

    async def kill(self, plan: MachinePlan) -> None:
        await asyncio.to_thread(self.domain(plan).destroy)

    async def power_off(self, plan: MachinePlan) -> None:
        await self._tell(plan, "o", ends=True)

    async def deafen(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, "d") == "d"

    def lose_disk(self, plan: MachinePlan) -> None:
        shutil.rmtree(Layout.of(plan).home / ROOT)

    def traces(self, plan: MachinePlan) -> list[str]:
        found = [str(path) for path in Path(plan.folder).iterdir()]
        with contextlib.suppress(libvirt.libvirtError):
            found.append(f"domain {self.domain(plan).name()}")
        return found + ([plan.runtime] if Path(plan.runtime).exists() else [])

    async def count(self, plan: MachinePlan) -> int:
        return int(await self._tell(plan, "+"))

    async def store(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, "w") == "w"

    async def stored(self, plan: MachinePlan) -> int:
        return int(await self._tell(plan, "r"))

    async def reaches(self, plan: MachinePlan, address: str) -> bool:
        guest = self.guest(plan)
        await join_networks(guest, plan.networks)
        card = f"$(basename $(dirname $(grep -l {plan.networks[0].mac} /sys/class/net/*/address)))"
        return (await guest.run(f"ping -c 1 -W 1 -I {card} {address}")).status == 0

    def guest(self, plan: MachinePlan) -> NamespaceGuest:
        record = records.read(Layout.of(plan))
        assert record
        return NamespaceGuest(
            Endpoint(communicator="lxc", host=self.uri, port=22, user="root", target=record.run)
        )

    async def _tell(self, plan: MachinePlan, word: str, *, ends: bool = False) -> str:
        """Wait until the guest listens, say one word, return its answer."""
        said = bytearray()
        command = f"until [ -p /run/answer ]; do sleep 0.02; done; echo {word} >/run/ask; cat /run/answer"
        async with asyncio.timeout(SOON):
            ran = await self.guest(plan).run(command, stdout=said.extend)
        assert ends or ran.status == 0, (ran, said)
        return said.decode().strip()

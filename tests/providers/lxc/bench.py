"""Containers of a real libvirt under test, with the guest that counts."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import libvirt

from core.model.machine import Endpoint, MachinePlan
from core.providers.base import Provider
from core.providers.libvirt import record as records
from core.providers.libvirt.containers.definition import ROOT
from core.providers.libvirt.containers.guest import NamespaceGuest
from core.providers.libvirt.containers.provider import LxcProvider
from core.providers.libvirt.layout import Layout, domain_uuid
from tests.providers.bench import Plans
from tests.providers.lxd.bench import LxdPlans, Piped


class LxcBench(Piped):
    """Commands run in the container's namespaces."""

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

    async def lose_disk(self, plan: MachinePlan) -> None:
        shutil.rmtree(Layout.of(plan).home / ROOT)

    async def traces(self, plan: MachinePlan) -> list[str]:
        found = [str(path) for path in Path(plan.folder).iterdir()]
        with contextlib.suppress(libvirt.libvirtError):
            found.append(f"domain {self.domain(plan).name()}")
        return found + ([plan.runtime] if Path(plan.runtime).exists() else [])

    def guest(self, plan: MachinePlan) -> NamespaceGuest:
        record = records.read(Layout.of(plan))
        assert record
        return NamespaceGuest(
            Endpoint(communicator="lxc", host=self.uri, port=22, user="root", target=record.run)
        )

"""A real libvirt under test, with the guest of the boot sector."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import libvirt

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.base import Console, Provider
from core.providers.libvirt import LibvirtProvider
from core.providers.libvirt import record as records
from core.providers.libvirt.layout import Layout, domain_uuid
from tests.providers.bench import Plans
from tests.support.bootsector import READY
from tests.support.moments import SOON
from tests.support.processes import gone


class Talk:
    """A console of one run of a machine, and what it has said."""

    def __init__(self, run: str, console: Console) -> None:
        self.run = run
        self.console = console
        self.said = b""

    async def listen(self) -> None:
        data = await self.console.read()
        assert data, f"the console ended after {self.said!r}"
        self.said += data


class LibvirtBench:
    """The guest is spoken to over the serial console."""

    def __init__(self, root: Path, uri: str, plans: Plans | None = None) -> None:
        self.uri = uri
        self.provider: Provider = LibvirtProvider()
        self.plans = plans or Plans(root)
        self.later: list[Provider] = []
        self._talks: dict[str, Talk] = {}

    def again(self) -> Provider:
        self.later.append(LibvirtProvider())
        self.provider = self.later[-1]
        return self.provider

    async def close(self) -> None:
        for provider in (self.provider, *self.later):
            await provider.close()

    def pid(self, plan: MachinePlan) -> int | None:
        """Of the machine's QEMU."""
        sign = f"\0-uuid\0{domain_uuid(plan.id)}\0".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if sign in (process / "cmdline").read_bytes():
                    return int(process.name)
            except OSError:
                continue
        return None

    def domain(self, plan: MachinePlan) -> libvirt.virDomain:
        """Seen by somebody else: over a connection of its own."""
        return libvirt.open(self.uri).lookupByUUIDString(domain_uuid(plan.id))

    async def kill(self, plan: MachinePlan) -> None:
        pid = self.pid(plan)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(gone(pid), SOON)

    async def power_off(self, plan: MachinePlan) -> None:
        await self._tell(plan, b"q", 0)
        # The letter may still be on its way as long as the console is open.
        async with asyncio.timeout(SOON):
            while await self._talks[plan.id].console.read():
                pass

    async def deafen(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, b"i") == b"i"

    async def lose_disk(self, plan: MachinePlan) -> None:
        (Layout.of(plan).home / "disk0.qcow2").unlink()

    async def traces(self, plan: MachinePlan) -> list[str]:
        found = [str(path) for path in Path(plan.folder).iterdir()]
        pid = self.pid(plan)
        found += [f"process {pid}"] if pid else []
        try:
            self.domain(plan)
        except libvirt.libvirtError:
            pass
        else:
            found.append("domain")
        return found + ([plan.runtime] if Path(plan.runtime).exists() else [])

    async def count(self, plan: MachinePlan) -> int:
        return ord(await self._tell(plan, b"+")) - ord("0")

    async def store(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, b"w") == b"w"

    async def stored(self, plan: MachinePlan) -> int:
        return ord(await self._tell(plan, b"r")) - ord("0")

    async def _tell(self, plan: MachinePlan, letter: bytes, answer: int = 1) -> bytes:
        """Wait until the guest listens, say one letter, return its answer of so many bytes."""
        async with asyncio.timeout(SOON):
            talk = await self._talk(plan)
            log = Path(self.provider.serial_log(plan) or "")
            while READY not in talk.said:
                await talk.listen()
            while len(talk.said) < log.stat().st_size:
                await talk.listen()
            await talk.console.write(letter)
            before = len(talk.said)
            while len(talk.said) < before + answer:
                await talk.listen()
            return talk.said[before:]

    async def _talk(self, plan: MachinePlan) -> Talk:
        record = records.read(Layout.of(plan))
        assert record
        talk = self._talks.get(plan.id)
        if talk is None or talk.run != record.run:
            await self.hang_up(plan)
            while True:
                try:
                    console = await self.provider.console(plan)
                    break
                except ProviderError:
                    if self.pid(plan) is None:
                        raise
                    await asyncio.sleep(0.05)
            talk = self._talks[plan.id] = Talk(record.run, console)
        return talk

    async def hang_up(self, plan: MachinePlan) -> None:
        talk = self._talks.pop(plan.id, None)
        if talk:
            await talk.console.close()

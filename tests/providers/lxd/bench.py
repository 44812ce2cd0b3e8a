"""A real LXD under test, with a guest that counts."""

from __future__ import annotations

import asyncio
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from core.guests.networks import join_networks
from core.guests.remote import RemoteGuest
from core.model.machine import MachinePlan
from core.providers.base import Provider
from core.providers.lxd import LxdProvider
from core.providers.lxd.connection import Connection
from core.providers.lxd.guest import ExecGuest
from core.providers.lxd.instances import default_name
from core.providers.lxd.place import Place
from tests.providers.bench import Plans
from tests.support.lxd import Lxd
from tests.support.moments import SOON


class LxdPlans(Plans):
    """Plans of containers: the box is a root file system."""

    def __init__(self, root: Path, rootfs: Path) -> None:
        super().__init__(root)
        self.rootfs = root / "rootfs.tar.gz"
        shutil.copyfile(rootfs, self.rootfs)

    def make(self, **changes: Any) -> MachinePlan:
        box = {"disks": (), "box_files": {"rootfs.tar.gz": str(self.rootfs)}}
        return super().make(**{**box, **changes})

    def lose_box(self, plan: MachinePlan) -> None:
        self.rootfs.unlink()


class Piped(ABC):
    """For benches of containers: the guest is spoken to by a command in it, over two pipes."""

    @abstractmethod
    def guest(self, plan: MachinePlan) -> RemoteGuest: ...

    async def look(self, plan: MachinePlan) -> str:
        """What is seen of a guest that does not answer."""
        return ""

    async def power_off(self, plan: MachinePlan) -> None:
        await self._tell(plan, "o", ends=True)

    async def deafen(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, "d") == "d"

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

    async def _tell(self, plan: MachinePlan, word: str, *, ends: bool = False) -> str:
        """Wait until the guest listens, say one word, return its answer."""
        said = bytearray()
        command = f"until [ -p /run/answer ]; do sleep 0.02; done; echo {word} >/run/ask; cat /run/answer"
        try:
            async with asyncio.timeout(SOON):
                ran = await self.guest(plan).run(command, stdout=said.extend)
        except TimeoutError:
            look = await self.look(plan)
            raise AssertionError(f"no answer to {word!r}, but {bytes(said)!r}: {look}") from None
        assert ends or ran.status == 0, (ran, said)
        return said.decode().strip()


class LxdBench(Piped):
    """Commands run by the server's exec call."""

    def __init__(self, root: Path, daemon: Lxd, rootfs: Path) -> None:
        self.daemon = daemon
        self.provider: Provider = LxdProvider()
        self.plans: Plans = LxdPlans(root, rootfs)
        self.later: list[Provider] = []
        self.place = Place(str(daemon.socket))
        self._connection = Connection(self.place)

    def again(self) -> Provider:
        self.later.append(LxdProvider())
        self.provider = self.later[-1]
        return self.provider

    async def close(self) -> None:
        for provider in (self.provider, *self.later):
            await provider.close()

    async def kill(self, plan: MachinePlan) -> None:
        """By somebody else: of an init that the kernel ends, the server does not say more than of a halt."""
        await self.daemon.aside.lxc("stop", "--force", default_name(plan))

    async def lose_disk(self, plan: MachinePlan) -> None:
        await self.daemon.aside.lxc("delete", "--force", default_name(plan))

    async def traces(self, plan: MachinePlan) -> list[str]:
        found = [str(path) for path in Path(plan.folder).iterdir()]
        return (
            found
            + await self.daemon.aside.named(plan.id)
            + ([plan.runtime] if Path(plan.runtime).exists() else [])
        )

    def guest(self, plan: MachinePlan) -> RemoteGuest:
        return ExecGuest(self._connection, default_name(plan))

    async def look(self, plan: MachinePlan) -> str:
        return await self.daemon.aside.run(default_name(plan), "ps", "-o", "pid,stat,args")

"""The machine of a provider in which the steps of one source run, from its first start to its artifact."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from abc import ABC, abstractmethod
from pathlib import Path

import msgspec

from core.builds import elsewhere
from core.builds.artifact import Artifact
from core.builds.communicator import Communicator, connect
from core.builds.elsewhere import Elsewhere
from core.builds.machines.promises import Promises
from core.builds.machines.undo import MACHINE
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.machine import Disk, MachineKey, MachinePlan, MachineState, WantedPort
from core.model.work import Silence, Work
from core.providers.base import Provider
from core.undo import remove

_ENDED = (MachineState.STOPPED, MachineState.BROKEN)


class MachineWorkshop(ABC):
    """Subclasses say what the machine is (``plan``), and what becomes of it at the end (``deliver``)."""

    shutdown_command = ""
    shutdown_timeout = 300.0

    def __init__(self, provider: Provider, communicator: Communicator, scene: Scene) -> None:
        self.guest: Guest | None = None
        self.scene = scene
        self.provider = provider
        self.machine: MachinePlan | None = None
        self._communicator = communicator
        self._promises = Promises()

    @abstractmethod
    async def plan(self, work: Work) -> MachinePlan:
        """What is to be made; fetches what that needs. See :meth:`basis`."""

    @abstractmethod
    async def deliver(self, machine: MachinePlan, work: Work) -> Artifact | None:
        """Make the artifact of the machine, which has stopped."""

    def basis(self, name: str, *, disks: tuple[Disk, ...] = ()) -> MachinePlan:
        """A plan with the machine's place and its way in, to be completed."""
        id = secrets.token_hex(6)
        port = self._communicator.login_port
        return MachinePlan(
            id=id,
            key=MachineKey(str(self.scene.world.root), name),
            folder=str(self.scene.folder / "machines" / id),
            runtime=str(self.scene.locations.machine_runtime(id)),
            disks=disks,
            ports=(WantedPort(guest=port, name="ssh"),),
            halt_timeout=self.shutdown_timeout,
        )

    async def open(self, layer: Path | None, work: Work) -> None:
        machine = await self.plan(work)
        ours = self._promises.collecting(work)
        for folder in (Path(machine.folder), Path(machine.runtime)):
            ours.intend("path", path=str(folder))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.machine = machine
        async with ours.step("Make the machine", detail=self.provider.name) as step:
            await self.provider.create(machine, step)
        async with ours.step("Start the machine") as step:
            started = await self.provider.start(machine, step)
        self.scene.facts["ID"] = machine.key.name
        given = self._communicator
        if given.communicator != "none":
            host = given.named_host or started.ssh_host
            port = given.login_port if given.named_host else started.ssh_port
            self.guest = await connect(given, host, port, self.scene, work, self._gone)

    async def _gone(self) -> str:
        assert self.machine is not None
        changes = self.provider.watch()
        if await self._runs():
            async for change in changes:
                if change.id == self.machine.id and change.seen.state in _ENDED:
                    break
        return "The machine has stopped."

    async def _runs(self) -> bool:
        assert self.machine is not None
        seen = (await self.provider.states([self.machine])).get(self.machine.id)
        return seen is not None and seen.state not in _ENDED

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        return False

    async def finish(self, work: Work) -> Artifact | None:
        assert self.machine is not None
        async with work.step("Shut down") as step:
            await self._shut_down(step)
        return await self.deliver(self.machine, work)

    async def _shut_down(self, work: Work) -> None:
        assert self.machine is not None
        guest, command = self.guest, self.shutdown_command
        if guest is not None and command:
            with contextlib.suppress(BoxwrightError):
                await guest.run(command, stdout=work.write, stderr=work.write, timeout=self.shutdown_timeout)
            try:
                async with asyncio.timeout(self.shutdown_timeout):
                    await self._gone()
            except TimeoutError:
                raise BoxwrightError(
                    f"The machine did not shut down within {self.shutdown_timeout:g} s.",
                    why=f"shutdown_command is {command!r}.",
                    remedy="correct it, or give it a longer shutdown_timeout",
                ) from None
        elif guest is not None and self._communicator.communicator == "ssh":
            await guest.run("sync")
        await self._close_guest()
        await self.provider.stop(self.machine, work)

    async def leave(self) -> bool:
        await self._close_guest()
        if self.machine is None:
            return False
        facts = {"provider": self.provider.name, "plan": msgspec.to_builtins(self.machine)}
        elsewhere.write(self.scene.folder / elsewhere.LEFT, Elsewhere(kind=MACHINE, facts=facts))
        self._promises.settle()
        self.machine = None
        return True

    async def close(self) -> None:
        await self._close_guest()
        machine, self.machine = self.machine, None
        if machine is not None:
            await self.provider.destroy(machine, Silence())
            for folder in (machine.folder, machine.runtime):
                await asyncio.to_thread(remove, Path(folder))
            self._promises.settle()
        await self.provider.close()

    async def _close_guest(self) -> None:
        if self.guest is not None:
            with contextlib.suppress(BoxwrightError, OSError):
                await self.guest.close()
            self.guest = None

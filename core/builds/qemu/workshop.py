"""The machine on QEMU in which the steps of one source run, from its first boot to its image."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
from abc import ABC, abstractmethod
from pathlib import Path

import msgspec

from core.builds import elsewhere
from core.builds.artifact import Artifact
from core.builds.communicator import Communicator, connect
from core.builds.elsewhere import Elsewhere
from core.builds.qemu import states
from core.builds.qemu.emulator import Emulator, PortTakenError
from core.builds.qemu.hardware import Hardware, Sockets, command_line
from core.builds.qemu.ram import Ram
from core.builds.qemu.states import Disks, disk_name, overlay
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.guests.winrm import powershell
from core.model.work import Intent, Work
from core.undo import remove

_ATTEMPTS = 5
_CLOCK = "sudo -n date -u -s @$(cat) >/dev/null 2>&1 || date -u -s @$(cat) >/dev/null 2>&1"


class Ports(msgspec.Struct, frozen=True):
    """Host ports from which one is chosen for the guest's."""

    first: int = 2222
    last: int = 4444


class QemuWorkshop(ABC):
    """What all sources on QEMU share: start, states, the guest, the end.

    Subclasses say how the disks come to be (``prepare``, ``again``), what happens between the first start and
    the login (``booted``), how the guest is shut down (``shut_down``) and what becomes of the disks
    (``deliver``).
    """

    def __init__(self, communicator: Communicator, scene: Scene, ports: Ports) -> None:
        self.guest: Guest | None = None
        self.scene = scene
        self.hardware: Hardware | None = None
        self.runtime = scene.locations.machine_runtime(f"b{secrets.token_hex(5)}")
        self.emulator: Emulator | None = None
        self.disks: Disks | None = None
        self._ram: Ram | None = None
        self._communicator = communicator
        self._ports = ports
        self._intent: Intent | None = None
        self._port = 0
        self._keeps = True

    # For subclasses

    @abstractmethod
    async def prepare(self, work: Work) -> tuple[Hardware, list[Path], list[int]]:
        """The hardware, and the disks (qcow2, ours to write to) with their sizes in bytes."""

    @abstractmethod
    async def again(self, layer: Path, work: Work) -> tuple[Hardware, list[int]]:
        """The same for a state that was kept: the hardware as it was then, and the sizes of the disks."""

    @abstractmethod
    async def booted(self, work: Work) -> None:
        """After the first start, before the login."""

    @abstractmethod
    async def shut_down(self, work: Work) -> None:
        """Have the guest end in order; the emulator is ended afterwards, whatever it does."""

    @abstractmethod
    async def deliver(self, disks: list[Path], work: Work) -> Artifact:
        """Make the artifact of the disks of the machine, which has ended."""

    # Workshop

    async def open(self, layer: Path | None, work: Work) -> None:
        self._intent = work.intend("path", path=str(self.runtime))
        self.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        if layer is None:
            self.hardware, files, sizes = await self.prepare(work)
        else:
            self.hardware, sizes = await self.again(layer, work)
            files = []
            for number, size in enumerate(sizes):
                files.append(self.scene.folder / f"disk{number}-0.qcow2")
                await overlay(files[-1], layer / disk_name(number), work, size=size)
        self._ram = Ram(self.hardware.memory << 20, self.scene.folder / states.RAM)
        if layer is not None:
            await asyncio.to_thread(self._ram.load, layer / states.RAM)
        self.disks = Disks(files, sizes, self.scene.folder)
        async with work.step("Start the machine", detail=self.hardware.accelerator) as step:
            await self._start(incoming=layer is not None)
            if layer is not None:
                assert self.emulator is not None
                await states.load(self.emulator, layer)
                step.note("with its memory as it was")
        self.scene.facts["ID"] = self.hardware.name
        if layer is None:
            await self.booted(work)
        if self._communicator.communicator != "none":
            await self._log_in(work)
            if layer is not None:
                await self._set_clock()

    async def _start(self, *, incoming: bool) -> None:
        assert self.hardware is not None and self.disks is not None and self._ram is not None
        for attempt in range(_ATTEMPTS):
            if self._communicator.communicator != "none":
                self._port = free_port(self._ports)
            sockets = self.sockets
            for path in (sockets.monitor, sockets.screen):
                path.unlink(missing_ok=True)
            argv = command_line(
                self.hardware,
                self.disks.files,
                self._ram.path,
                sockets,
                self.scene.folder / "serial.log",
                incoming=incoming,
            )
            try:
                log = self.scene.folder / "qemu.log"
                self.emulator = await Emulator.start(
                    argv, sockets.monitor, log, inherited=self._ram.inherited
                )
                self._show(sockets.screen)
                return
            except PortTakenError:
                if attempt == _ATTEMPTS - 1:
                    raise

    def _show(self, screen: Path | None) -> None:
        """Say where the machine's screen can be looked at, None: nowhere any more."""
        if self.scene.show is not None and self.hardware is not None and self.hardware.vga != "none":
            self.scene.show(self.scene.source, str(screen or ""))

    @property
    def sockets(self) -> Sockets:
        return Sockets(
            monitor=self.runtime / "qmp",
            screen=self.runtime / "vnc",
            ssh_port=self._port,
            guest_port=self._communicator.login_port,
        )

    async def _log_in(self, work: Work) -> None:
        assert self.emulator is not None
        given = self._communicator
        host, port = given.named_host or "127.0.0.1", self._port or given.login_port
        self.guest = await connect(given, host, port, self.scene, work, self.emulator.gone)

    async def _set_clock(self) -> None:
        """The guest went on from a saved state: it does not know what time it is."""
        import time

        assert self.guest is not None
        now = int(time.time())
        windows = self._communicator.communicator == "winrm"
        command = powershell.set_clock(now) if windows else _CLOCK.replace("$(cat)", f"{now}")
        with contextlib.suppress(BoxwrightError):
            await self.guest.run(command, timeout=30)

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        assert self.emulator is not None and self.disks is not None and self.hardware is not None
        assert self._ram is not None
        if not self._keeps or "-drive" in self.hardware.overrides or "-device" in self.hardware.overrides:
            # With other drives than ours nobody knows where the state lies.
            return False
        nvram = Path(self.hardware.nvram) if self.hardware.nvram else None
        await self.disks.keep(self.emulator, folder, place, self._ram, nvram, work)
        (folder / "hardware.json").write_bytes(msgspec.json.encode((self.hardware, self.disks.sizes)))
        return True

    async def finish(self, work: Work) -> Artifact:
        assert self.disks is not None
        async with work.step("Shut down") as step:
            await self.shut_down(step)
            await self._close_guest()
            if self.emulator is not None:
                self._show(None)
                await self.emulator.quit()
                self.emulator = None
        self._forget_memory()
        return await self.deliver(self.disks.files, work)

    async def leave(self) -> bool:
        await self._close_guest()
        self._show(None)
        if self.emulator is None:
            return False
        await self.emulator.monitor.close()
        self.emulator = None
        self._forget_memory()
        if self._intent is not None:
            beyond = Elsewhere(kind="path", facts={"path": str(self.runtime)})
            elsewhere.write(self.scene.folder / elsewhere.LEFT, beyond)
            self._intent.settle()
            self._intent = None
        return True

    async def close(self) -> None:
        await self._close_guest()
        self._show(None)
        if self.emulator is not None:
            await self.emulator.quit()
            self.emulator = None
        self._forget_memory()
        if self._intent is not None:
            await asyncio.to_thread(remove, self.runtime)
            self._intent.settle()
            self._intent = None

    async def _close_guest(self) -> None:
        if self.guest is not None:
            with contextlib.suppress(BoxwrightError, OSError):
                await self.guest.close()
            self.guest = None

    def _forget_memory(self) -> None:
        if self._ram is not None:
            self._ram.close()
            self._ram = None

    # For subclasses

    async def power_off(self, timeout: float, work: Work) -> None:
        """Press the power button and wait; at last by force."""
        assert self.emulator is not None
        await self.emulator.monitor.execute("system_powerdown")
        if not await self.emulator.ended(timeout):
            work.note(f"did not shut down within {timeout:g} s; ended by force")


def free_port(ports: Ports) -> int:
    """One that nobody listens on now."""
    for port in random.sample(range(ports.first, ports.last + 1), min(50, ports.last - ports.first + 1)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BoxwrightError(f"No port from {ports.first} to {ports.last} is free.")

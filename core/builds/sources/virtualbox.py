"""The sources "virtualbox-ovf" and "virtualbox-iso": a machine that is provisioned and exported."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from core.builds import appliance
from core.builds.output import refuse_existing
from core.builds.qemu import images
from core.builds.qemu.settings import QemuSettings
from core.builds.scene import Scene
from core.builds.virtualbox.description import describe
from core.builds.virtualbox.settings import (
    IsoSettings,
    OvfSettings,
    VirtualBoxSettings,
    read_iso,
    read_ovf,
)
from core.builds.virtualbox.workshop import VirtualBoxWorkshop, output_folder
from core.errors import ConfigError, NotFoundError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.templates.model import Settings


class _Source(ABC):
    """What both share; ``Replacing``, too."""

    @abstractmethod
    def read(self, settings: Settings) -> VirtualBoxSettings: ...

    def check(self, settings: Settings, scene: Scene) -> None:
        self.read(settings).check_machine()

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = self.read(settings)
        if not given.skip_export:
            refuse_existing(output_folder(given, scene), force=scene.force)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        """States are not kept."""
        return {}


class OvfSource(_Source):
    kind: ClassVar[str] = "virtualbox-ovf"

    def read(self, settings: Settings) -> OvfSettings:
        return read_ovf(settings)

    def workshop(self, settings: Settings, scene: Scene) -> OvfWorkshop:
        return OvfWorkshop(read_ovf(settings), scene)


class IsoSource(_Source):
    kind: ClassVar[str] = "virtualbox-iso"

    def read(self, settings: Settings) -> IsoSettings:
        return read_iso(settings)

    def workshop(self, settings: Settings, scene: Scene) -> IsoWorkshop:
        return IsoWorkshop(read_iso(settings), scene)


class OvfWorkshop(VirtualBoxWorkshop):
    def __init__(self, given: OvfSettings, scene: Scene) -> None:
        super().__init__(given, scene)
        self._source = given

    async def plan(self, work: Work) -> MachinePlan:
        given = self._source
        if "://" in given.source_path:
            wanted = QemuSettings(iso_urls=(given.source_path,), iso_checksum=given.checksum)
            path = await images.image(wanted, self.scene, work)
        else:
            path = self.scene.path(given.source_path)
        if not path.is_file():
            raise NotFoundError(f"There is no {path}.", why='"source_path" names it.')
        if path.suffix.lower() != ".ovf":
            # Its description is inside: VirtualBox reads it.
            return await self.completed({"box.ova": str(path)}, 1, 512, (), (), work)
        found = await asyncio.to_thread(describe, path)
        files = {path.name: str(path)}
        for name in found.files:
            beside = path.parent / name
            if not beside.resolve().is_relative_to(path.parent.resolve()):
                raise ConfigError(f"{path} names {name}, which lies outside of its folder.")
            files[name] = str(beside)
        return await self.completed(files, found.cpus, found.memory, (), (), work)


class IsoWorkshop(VirtualBoxWorkshop):
    def __init__(self, given: IsoSettings, scene: Scene) -> None:
        super().__init__(given, scene)
        self._source = given

    async def plan(self, work: Work) -> MachinePlan:
        given = self._source
        urls = given.iso_urls or (given.iso_url,)
        wanted = QemuSettings(iso_urls=urls, iso_checksum=given.iso_checksum)
        iso = await images.image(wanted, self.scene, work)
        disk = self.scene.folder / "disk.img"
        async with work.step("Make the disk") as step:
            await asyncio.to_thread(_blank, disk, given.disk_size << 20)
            made = await appliance.write(disk, self.scene.folder / "appliance", self.name, step)
        # The disk first: it boots once something is installed on it, and the CD until then.
        first = ("modifyvm", ":id", "--ostype", given.guest_os_type, "--boot1", "disk", "--boot2", "dvd")
        files = {name: str(path) for name, path in made.items()}
        return await self.completed(files, given.cpus, given.memory, (Path(iso),), (first,), work)


def _blank(disk: Path, size: int) -> None:
    """A disk on which nothing is. VirtualBox imports none without any content, so a few bytes lie in its
    middle, where no firmware or installer looks."""
    with disk.open("xb") as file:
        file.truncate(size)
        file.seek(size // 2)
        file.write(b"\xff" * 512)

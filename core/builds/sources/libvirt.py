"""The source "libvirt": a machine that is provisioned, and the volume that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from core.builds.artifact import Artifact
from core.builds.libvirt import pool
from core.builds.libvirt.settings import LibvirtSettings, Origin, Volume, read
from core.builds.machines.workshop import MachineWorkshop
from core.builds.qemu import images, media
from core.builds.qemu.disk_images import describe, flatten
from core.builds.qemu.settings import QemuSettings
from core.builds.scene import Scene
from core.errors import ConfigError
from core.model.machine import Disk, MachinePlan
from core.model.work import Work
from core.templates.model import Settings


class LibvirtSource:
    """Implements :class:`core.builds.base.Source` and ``Replacing``."""

    kind: ClassVar[str] = "libvirt"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        given.check()
        _refuse_far(given)

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        await pool.refuse_taken(_uri(given), given.artifact.pool, _name(given, scene))

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        """States are not kept: libvirt has none that another machine could begin with."""
        return {}

    def workshop(self, settings: Settings, scene: Scene) -> LibvirtWorkshop:
        return LibvirtWorkshop(read(settings), scene)


def _uri(given: LibvirtSettings) -> str:
    from core.providers.libvirt import address

    return given.libvirt_uri or address.default_uri()


def _refuse_far(given: LibvirtSettings) -> None:
    """Raises ConfigError."""
    from core.providers.libvirt import address

    far = address.far_host(_uri(given))
    if far is not None:
        raise ConfigError(
            f"A build cannot be made at {far.name}, another computer.",
            why="The disk of its machine is read from this computer's files at the end.",
            remedy='libvirt_uri = "qemu:///system"',
        )


def _name(given: LibvirtSettings, scene: Scene) -> str:
    """Of the volume that comes of it."""
    return given.artifact.name or f"{given.domain_name or f'packer-{scene.source}'}.qcow2"


class LibvirtWorkshop(MachineWorkshop):
    def __init__(self, given: LibvirtSettings, scene: Scene) -> None:
        from core.providers.libvirt import LibvirtProvider

        super().__init__(LibvirtProvider(), given, scene)
        self._given = given
        self._size = 0
        self.shutdown_command = given.shutdown_command
        self.shutdown_timeout = given.shutdown_timeout

    async def plan(self, work: Work) -> MachinePlan:
        import msgspec

        given = self._given
        volume = given.artifact
        assert volume.origin is not None
        image = await self._image(volume.origin, work)
        form, size = await describe(image)
        self._size = max(size, volume.bytes)
        if volume.bytes and volume.bytes < size:
            raise ConfigError(
                f"The volume is smaller than what it is made from ({size} bytes).",
                remedy='remove "capacity", or choose a larger one',
            )
        basis = self.basis(
            given.domain_name or f"packer-{self.scene.source}",
            disks=(Disk(path=str(image), format=form, size=self._size),),
        )
        return msgspec.structs.replace(
            basis,
            cpus=given.vcpu,
            memory=given.memory << 20,
            architecture=given.arch,
            options=await self._options(work),
        )

    async def _options(self, work: Work) -> dict[str, Any]:
        given = self._given
        found: dict[str, Any] = {"uri": _uri(given), "default_prefix": "boxwright-build-"}
        wanted = {
            "driver": given.domain_type,
            "machine_type": given.chipset,
            "cpu_mode": given.cpu_mode,
            "disk_bus": given.artifact.bus,
            "disk_device": given.artifact.target_dev,
        }
        found |= {name: value for name, value in wanted.items() if value}
        for card in given.interfaces:
            found["nic_model_type"] = card.model
            found |= {"management_network_name": card.network} if card.network else {}
            found |= {"management_network_mac": card.mac} if card.mac else {}
        storage = [_empty(number, one) for number, one in enumerate(given.others)]
        seed = given.seed
        if seed is not None:
            content = {"user-data": seed.user_data, "meta-data": seed.meta_data}
            if seed.network_config:
                content["network-config"] = seed.network_config
            disc = await media.make_cd((), content, "cidata", self.scene, work)
            storage.append({"device": "cdrom", "path": str(disc)})
        return {**found, "storage": tuple(storage)} if storage else found

    async def _image(self, origin: Origin, work: Work) -> Path:
        """A file that is only read."""
        if origin.type == "external":
            wanted = QemuSettings(iso_urls=origin.urls, iso_checksum=origin.checksum, disk_image=True)
            return await images.image(wanted, self.scene, work)
        target = self.scene.folder / "source.img"
        await pool.fetch(_uri(self._given), origin.pool or "default", origin.volume, target, work)
        return target

    async def deliver(self, machine: MachinePlan, work: Work) -> Artifact:
        from core.providers.libvirt.layout import Layout
        from core.providers.libvirt.record import read as record

        given, scene = self._given, self.scene
        layout = Layout.of(machine)
        known = record(layout)
        assert known is not None
        result = scene.folder / "built.qcow2"
        async with work.step("Merge the changes") as step:
            await flatten(layout.home / known.disks[0].file, result, "qcow2", step)
            step.note(f"{result.stat().st_size / 1e6:.0f} MB")
        facts = {"uri": _uri(given), "pool": given.artifact.pool, "name": _name(given, scene)}
        async with work.step("Store the volume", detail=f"{facts['pool']}/{facts['name']}") as step:
            if not scene.force:
                await pool.refuse_taken(facts["uri"], facts["pool"], facts["name"])
            scene.promises.append(step.intend(pool.VOLUME, **facts))
            path = await pool.store(facts["uri"], facts["pool"], facts["name"], result, self._size, step)

        async def gone() -> None:
            await pool.remove_volume(facts)

        return Artifact(
            maker="thomasklein94.libvirt",
            id=path,
            files=(str(result),),
            text=f"volume {facts['name']} in the storage pool {facts['pool']}",
            facts={
                **facts,
                "format": "qcow2",
                "user": given.account or "vagrant",
                "architecture": "amd64",
                "providers": "qemu",
            },
            remove_elsewhere=gone,
        )


def _empty(number: int, volume: Volume) -> dict[str, str]:
    """A disk on which nothing is, as the provider takes it."""
    name = volume.alias or f"disk{number + 1}"
    found = {"serial": name, "size": f"{volume.bytes}B", "bus": volume.bus, "dev": volume.target_dev}
    return {key: text for key, text in found.items() if text}

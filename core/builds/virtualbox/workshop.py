"""The machine of VirtualBox in which the steps of one source run, and its export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.builds.artifact import Artifact
from core.builds.machines.workshop import MachineWorkshop
from core.builds.output import claim
from core.builds.qemu import media
from core.builds.scene import Scene
from core.builds.virtualbox.settings import VirtualBoxSettings
from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work

CD = "Boxwright CD"
"""The controller of the CD drives that a build adds."""

Words = tuple[str, ...]


class VirtualBoxWorkshop(MachineWorkshop):
    """Subclasses say in ``plan`` what the machine is made from, with :meth:`completed`."""

    def __init__(self, given: VirtualBoxSettings, scene: Scene) -> None:
        from core.providers.virtualbox.provider import VirtualBoxProvider

        super().__init__(VirtualBoxProvider(), given, scene)
        self._given = given
        self.shutdown_command = given.shutdown_command
        self.shutdown_timeout = given.shutdown_timeout

    @property
    def name(self) -> str:
        return self._given.vm_name or f"packer-{self.scene.source}"

    async def completed(
        self,
        files: dict[str, str],
        cpus: int,
        memory: int,
        discs: Sequence[Path],
        first: Sequence[Words],
        work: Work,
    ) -> MachinePlan:
        """``files``: of the appliance; ``memory``: MiB; ``first``: commands before the user's."""
        from core.providers.virtualbox.layout import machine_uuid

        given = self._given
        inserted = list(discs)
        if given.cd_files or given.cd_content:
            inserted.append(
                await media.make_cd(given.cd_files, given.cd_content, given.cd_label, self.scene, work)
            )
        basis = self.basis(self.name)
        uuid = machine_uuid(basis.id)
        own = [tuple(self.scene.render(word, Name=uuid) for word in words) for words in given.vboxmanage]
        customize = [("post-import", *words) for words in (*first, *_drives(inserted))]
        customize += [("pre-boot", *words) for words in own]
        return msgspec.structs.replace(
            basis,
            cpus=cpus,
            memory=memory << 20,
            box_files=files,
            options={"gui": not given.headless, "linked_clone": False, "customize": tuple(customize)},
        )

    async def deliver(self, machine: MachinePlan, work: Work) -> Artifact | None:
        from core.providers.virtualbox.layout import machine_uuid

        given, scene = self._given, self.scene
        uuid = machine_uuid(machine.id)
        for words in given.vboxmanage_post:
            await _manage(work, *(scene.render(word, Name=uuid) for word in words))
        if given.skip_export:
            return None
        folder = output_folder(given, scene)
        file = f"{given.output_filename or self.name}.{given.format}"
        async with work.step("Export the machine", detail=str(folder)) as step:
            await _manage(step, "modifyvm", uuid, "--uart1", "off")
            async with claim(folder, scene, step) as beside:
                beside.mkdir(mode=0o755)
                vsys = ("--vsys", "0", "--vmname", self.name)
                await _manage(step, "export", uuid, "--output", str(beside / file), *given.export_opts, *vsys)
        return Artifact(
            maker="mitchellh.virtualbox",
            id="VM",
            files=tuple(str(path) for path in sorted(folder.iterdir())),
            text=f"VM files in directory: {folder}",
            facts={
                "format": given.format,
                "architecture": "amd64",
                "providers": "virtualbox",
                "user": given.account,
            },
        )


def output_folder(given: VirtualBoxSettings, scene: Scene) -> Path:
    return scene.path(given.output_directory or f"output-{scene.source}")


def _drives(discs: Sequence[Path]) -> list[Words]:
    """Commands that put each into a drive of its own."""
    if not discs:
        return []
    count = str(len(discs))
    found: list[Words] = [("storagectl", ":id", "--name", CD, "--add", "sata", "--portcount", count)]
    for port, disc in enumerate(discs):
        place = ("--storagectl", CD, "--port", str(port), "--device", "0")
        found.append(("storageattach", ":id", *place, "--type", "dvddrive", "--medium", str(disc)))
    return found


async def _manage(work: Work, *words: str) -> None:
    from core.providers.virtualbox import host
    from core.providers.virtualbox.customizing import said

    ended = await host.manage(*words)
    work.write(ended.output.encode())
    if ended.status:
        raise ProviderError(
            f"VBoxManage {words[0]} failed.",
            why=said(ended.errors) or f"It ended with status {ended.status}.",
        )

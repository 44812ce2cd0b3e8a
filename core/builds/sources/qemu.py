"""The source "qemu": a disk image that is changed, or a system that is installed from a CD."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from core.builds.artifact import Artifact
from core.builds.layer_keys import file_digest
from core.builds.output import claim, refuse_existing
from core.builds.process import run_tool
from core.builds.qemu import boot_command, description, images, media, states
from core.builds.qemu.disk_images import describe, empty, flatten
from core.builds.qemu.hardware import Hardware, Media, as_facts
from core.builds.qemu.screen import Screen
from core.builds.qemu.settings import QemuSettings, shown
from core.builds.qemu.typist import type_all
from core.builds.qemu.web import GUEST_SIDE, WebServer
from core.builds.qemu.workshop import Ports, QemuWorkshop
from core.builds.scene import Scene
from core.builds.settings import decode
from core.builds.sparse import copy_sparse
from core.builds.tools import QEMU_IMG, need
from core.errors import BoxwrightError, ConfigError, NotFoundError
from core.model.work import Work
from core.providers import firmware
from core.templates.model import Settings


class QemuSource:
    kind: ClassVar[str] = "qemu"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        given.check()
        need(QEMU_IMG)
        description.emulator(given)
        if given.http_directory and not scene.path(given.http_directory).is_dir():
            raise NotFoundError(f"There is no folder {scene.path(given.http_directory)}.")
        if given.http_directory and given.http_content:
            raise ConfigError('The source takes "http_directory" or "http_content", not both.')
        media.expand((*given.floppy_files, *given.cd_files), scene)

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        refuse_existing(description.output_folder(read(settings), scene), force=scene.force)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        given = read(settings)
        hardware = description.describe(given, scene, Media())
        found = {
            "the image": images.identity(given, scene),
            "the machine": json.dumps(as_facts(hardware), sort_keys=True),
            "QEMU": str(Path(hardware.emulator).stat().st_mtime_ns),
            **{f'"{name}"': text for name, text in shown(given).items()},
        }
        for text in (*given.floppy_files, *given.floppy_dirs, *given.cd_files, given.http_directory):
            if text:
                found |= {str(path): file_digest(path) for path in media.expand((text,), scene)}
        return found

    def workshop(self, settings: Settings, scene: Scene) -> ImageWorkshop:
        return ImageWorkshop(read(settings), scene)


def read(settings: Settings) -> QemuSettings:
    return decode(settings, QemuSettings, 'source "qemu"')


class ImageWorkshop(QemuWorkshop):
    def __init__(self, given: QemuSettings, scene: Scene) -> None:
        first = given.ssh_host_port_min or given.host_port_min
        last = given.ssh_host_port_max or given.host_port_max
        super().__init__(given, scene, Ports(first, last))
        self._given = given
        self._web: WebServer | None = None
        self._said: Any = None

    async def prepare(self, work: Work) -> tuple[Hardware, list[Path], list[int]]:
        given, scene = self._given, self.scene
        image = await images.image(given, scene, work)
        self._serve(work)
        floppy = cd = ""
        if given.floppy_files or given.floppy_dirs or given.floppy_content:
            made = await media.make_floppy(
                given.floppy_files, given.floppy_dirs, given.floppy_content, given.floppy_label, scene, work
            )
            floppy = str(made)
        if given.cd_files or given.cd_content:
            cd = str(await media.make_cd(given.cd_files, given.cd_content, given.cd_label, scene, work))
        inserted = Media(iso="" if given.disk_image else str(image), floppy=floppy, cd=cd)
        # A state with a medium that only this build has could not be used by the next one.
        self._keeps = not (floppy or cd)
        hardware = description.describe(given, scene, inserted)
        if hardware.firmware:
            await self._variables(hardware, work)
        async with work.step("Make the disks") as step:
            files, sizes = await self._make_disks(image, step)
        return hardware, files, sizes

    async def _variables(self, hardware: Hardware, work: Work) -> None:
        given = self._given.efi_firmware_vars
        source = Path(given) if given else firmware.find("x86_64").variables
        convert = [need(QEMU_IMG), "convert", "-f", "raw", "-O", "qcow2", str(source), hardware.nvram]
        await run_tool(convert, work=work, doing="copying the firmware's variables")

    async def _make_disks(self, image: Path, work: Work) -> tuple[list[Path], list[int]]:
        given, folder = self._given, self.scene.folder
        files, sizes = [folder / "disk0-0.qcow2"], [given.bytes_of(given.disk_size)]
        if given.disk_image:
            form, size = await describe(image)
            if given.skip_resize_disk:
                sizes[0] = size
            elif sizes[0] < size:
                raise ConfigError(
                    f'"disk_size" is smaller than the image ({size} bytes).',
                    remedy="leave disk_size larger, or set skip_resize_disk = true",
                )
            await states.overlay(files[0], image, work, size=sizes[0], form=form)
        else:
            await empty(files[0], sizes[0], work)
        for number, text in enumerate(given.disk_additional_size, 1):
            files.append(folder / f"disk{number}-0.qcow2")
            sizes.append(given.bytes_of(text))
            await empty(files[-1], sizes[-1], work)
        return files, sizes

    def _serve(self, work: Work) -> None:
        given = self._given
        if not (given.http_directory or given.http_content):
            return
        self._said = work
        self._web = WebServer(
            self.scene.path(given.http_directory or "."),
            given.http_content,
            address=given.http_bind_address,
            ports=range(given.http_port_min, given.http_port_max + 1),
            asked=lambda line: self._said.write(f"{line}\n".encode()),
        )
        self.scene.facts.update(
            PackerHTTPIP=GUEST_SIDE,
            PackerHTTPPort=str(self._web.port),
            PackerHTTPAddr=f"{GUEST_SIDE}:{self._web.port}",
        )

    async def again(self, layer: Path, work: Work) -> tuple[Hardware, list[int]]:
        self._serve(work)
        kept = (layer / "hardware.json").read_bytes()
        hardware, sizes = msgspec.json.decode(kept, type=tuple[Hardware, list[int]])
        if hardware.nvram:
            nvram = self.scene.folder / states.NVRAM
            await asyncio.to_thread(copy_sparse, layer / states.NVRAM, nvram)
            hardware = msgspec.structs.replace(hardware, nvram=str(nvram))
        return hardware, sizes

    async def booted(self, work: Work) -> None:
        given = self._given
        if not given.typed or given.disable_vnc:
            return
        async with work.step("Wait for the boot", detail=f"{given.boot_wait:g} s"):
            await asyncio.sleep(given.boot_wait)
        text = self.scene.render(
            given.typed,
            HTTPIP=GUEST_SIDE,
            HTTPPort=self.scene.facts.get("PackerHTTPPort", ""),
            Name=given.vm_name or f"packer-{self.scene.source}",
            SSHPublicKey="",
        )
        async with work.step("Type the boot command") as step:
            self._said = step
            screen = await Screen.open(self.sockets.screen)
            try:
                await type_all(
                    screen,
                    boot_command.parse(text),
                    interval=given.boot_key_interval,
                    between=given.boot_keygroup_interval,
                    work=step,
                )
            except ConnectionError:
                step.note("the machine ended while this was typed")
            finally:
                await screen.close()

    async def shut_down(self, work: Work) -> None:
        given = self._given
        assert self.emulator is not None
        if given.shutdown_command and self.guest is not None:
            await self._end_guest(given.shutdown_command, work)
            if not await self.emulator.ended(given.shutdown_timeout):
                raise BoxwrightError(
                    f"The machine did not shut down within {given.shutdown_timeout:g} s.",
                    why=f"shutdown_command is {given.shutdown_command!r}.",
                    remedy="correct it, or give it a longer shutdown_timeout",
                )
        elif self.guest is not None:
            if given.communicator == "ssh":
                await self.guest.run("sync")
            await self.power_off(given.shutdown_timeout, work)
        elif not await self.emulator.ended(given.shutdown_timeout):
            await self.power_off(given.shutdown_timeout, work)

    async def _end_guest(self, command: str, work: Work) -> None:
        """By a command that ends the connection that it came by."""
        assert self.guest is not None
        try:
            if self._given.communicator == "winrm":
                await self.guest.run(command, stdout=work.write, stderr=work.write)
                return
            await self.guest.run(
                "exec sh -s",
                stdin=f"{{ {command}\n}} </dev/null\n".encode(),
                stdout=work.write,
                stderr=work.write,
            )
        except BoxwrightError as error:
            work.write(f"{error.problem.what}\n".encode())

    async def deliver(self, disks: list[Path], work: Work) -> Artifact:
        given, scene = self._given, self.scene
        folder = description.output_folder(given, scene)
        name = given.vm_name or f"packer-{scene.source}"
        keeps = given.uefi and not given.efi_drop_efivars
        names = [name, *(f"{name}-{number}" for number in range(1, len(disks)))]
        async with work.step("Write the image", detail=str(folder)) as step:
            async with claim(folder, scene, step) as beside:
                beside.mkdir(mode=0o755)
                for file, called in zip(disks, names, strict=True):
                    await flatten(file, beside / called, given.format, step, compress=given.disk_compression)
                if keeps:
                    await flatten(scene.folder / states.NVRAM, beside / firmware.VARIABLES, "raw", step)
            size = sum((folder / called).stat().st_size for called in names)
            step.note(f"{size / 1e6:.0f} MB")
        variables = firmware.VARIABLES if keeps else ""
        files = [*names, variables] if variables else names
        return Artifact(
            maker="transcend.qemu",
            id="VM",
            files=tuple(str(folder / called) for called in files),
            text=f"VM files in directory: {folder}",
            facts={
                "format": given.format,
                "user": given.account or "vagrant",
                "firmware": "uefi" if given.uefi or given.firmware.endswith(".fd") else "bios",
                "architecture": "amd64",
                "variables": variables,
            },
        )

    async def close(self) -> None:
        await super().close()
        if self._web is not None:
            await asyncio.to_thread(self._web.close)
            self._web = None

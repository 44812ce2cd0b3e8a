"""The source "bootstrap": a system made from a distribution's packages, on QEMU where it has steps."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.builds.artifact import Artifact
from core.builds.bootstrap import bootstrap, bootstrap_root
from core.builds.communicator import Communicator
from core.builds.fingerprint import bootstrap_fingerprint
from core.builds.output import claim, refuse_existing
from core.builds.qemu.disk_images import flatten
from core.builds.qemu.hardware import Hardware
from core.builds.qemu.root import take_root
from core.builds.qemu.workshop import Ports, QemuWorkshop
from core.builds.root_archive import NAME, PACKED, pack
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import BoxwrightError, ConfigError
from core.guests.base import Guest
from core.model.project import Bootstrap, parse_size
from core.model.work import Work
from core.providers import acceleration, tools
from core.templates.model import Settings

_HALT_SECONDS = 120.0
_BOOT_SECONDS = 600.0

_SEAL = r"""
rm -f /etc/dropbear/dropbear_*_host_key /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
if [ -f /etc/machine-id ]; then : > /etc/machine-id; fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -f /root/.ash_history /root/.bash_history "$HOME/.ash_history" "$HOME/.bash_history"
sync
"""
"""Removes what must be each machine's own (it is made again at the next boot), and what nobody needs."""


class BootstrapSettings(Table, frozen=True, kw_only=True):
    suite: str
    flavour: Annotated[str, Meta(pattern="^(debian|tiny)$")] = "debian"
    packages: tuple[str, ...] = ()
    architecture: str = "amd64"
    size: str = "4GiB"
    components: tuple[str, ...] = ("main",)
    formats: tuple[Annotated[str, Meta(pattern="^(qemu|docker|lxd|virtualbox)$")], ...] = ("qemu",)
    """There is a box for each; "docker" and "lxd" take its root file system, the others its disk."""
    cpus: int = 2
    memory: str = "1GiB"
    output_directory: str | None = None
    """Where the image goes; without one into ``output-<name>``. "": it stays with the build."""

    @property
    def containers(self) -> tuple[str, ...]:
        """Those of the formats that take a root file system in place of a disk."""
        return tuple(name for name in self.formats if name in ("docker", "lxd"))

    @property
    def declared(self) -> Bootstrap:
        names = ("suite", "flavour", "packages", "architecture", "size", "components")
        return msgspec.convert({name: getattr(self, name) for name in names}, Bootstrap)


class BootstrapSource:
    kind: ClassVar[str] = "bootstrap"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        try:
            parse_size(given.size)
            parse_size(given.memory)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        if given.output_directory != "":
            refuse_existing(output_folder(given.output_directory, scene), force=scene.force)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        given = read(settings)
        made_from = bootstrap_fingerprint(given.declared)
        return {
            "what the system is made from": made_from,
            '"memory"': str(parse_size(given.memory)),
            '"cpus"': str(given.cpus),
        }

    def workshop(self, settings: Settings, scene: Scene) -> BootstrapWorkshop:
        return BootstrapWorkshop(read(settings), scene)


def read(settings: Settings) -> BootstrapSettings:
    return decode(settings, BootstrapSettings, 'source "bootstrap"')


def output_folder(wanted: str | None, scene: Scene) -> Path:
    """Where the image goes."""
    return scene.path(wanted or f"output-{scene.source}")


class BootstrapWorkshop(QemuWorkshop):
    def __init__(self, given: BootstrapSettings, scene: Scene) -> None:
        communicator = Communicator(communicator="ssh", ssh_username="vagrant", ssh_timeout=_BOOT_SECONDS)
        super().__init__(communicator, scene, Ports())
        self._given = given
        self._made = False
        """Without a guest."""
        self._image: Path | None = None
        self._root: Path | None = None

    async def open(self, layer: Path | None, work: Work) -> None:
        if self.scene.steps:
            await super().open(layer, work)
            return
        self._made = True
        plain = self.scene.folder / "rootfs.tar" if self._given.containers else None
        if set(self._given.formats) - set(self._given.containers):
            self._image = await bootstrap(
                self._given.declared, folder=self.scene.folder, work=work, root=plain
            )
        else:
            plain = await bootstrap_root(self._given.declared, folder=self.scene.folder, work=work)
        if plain is not None:
            self._root = plain.with_name(NAME)
            await asyncio.to_thread(pack, plain, self._root)
            plain.unlink()

    async def prepare(self, work: Work) -> tuple[Hardware, list[Path], list[int]]:
        image = await bootstrap(self._given.declared, folder=self.scene.folder, work=work)
        return self._hardware(), [image], [parse_size(self._given.size)]

    async def again(self, layer: Path, work: Work) -> tuple[Hardware, list[int]]:
        return self._hardware(), [parse_size(self._given.size)]

    async def booted(self, work: Work) -> None:
        """Nothing: the image boots by itself, with nobody at its keyboard."""

    def _hardware(self) -> Hardware:
        chosen = acceleration.choose("auto", "x86_64", acceleration.this_host())
        return Hardware(
            emulator=tools.emulator("x86_64"),
            name=self.scene.source,
            machine="q35",
            accelerator=chosen.argument,
            cpu=chosen.cpu,
            cpus=self._given.cpus,
            memory=parse_size(self._given.memory) // 1024**2,
            vga="none",
        )

    async def shut_down(self, work: Work) -> None:
        assert self.guest is not None
        async with work.step("Seal the system") as step:
            await _seal(self.guest, step)
        if self._given.containers:
            async with work.step("Take the file system") as step:
                self._root = await take_root(self.guest, self.scene.folder, step)
        await self.power_off(_HALT_SECONDS, work)

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        return not self._made and await super().keep(folder, place, work)

    async def finish(self, work: Work) -> Artifact:
        if self._made:
            return await self._handed_on(self._image, work)
        return await super().finish(work)

    async def deliver(self, disks: list[Path], work: Work) -> Artifact:
        async with work.step("Merge the changes") as step:
            result = self.scene.folder / "built.qcow2"
            await flatten(disks[0], result, "qcow2", step)
            step.note(f"{result.stat().st_size / 1e6:.0f} MB")
        return await self._handed_on(result, work)

    async def _handed_on(self, image: Path | None, work: Work) -> Artifact:
        made = {"disk image": (image, f"{self.scene.source}.qcow2"), "root file system": (self._root, NAME)}
        files = {text: (file, name) for text, (file, name) in made.items() if file is not None}
        paths = [file for file, _ in files.values()]
        wanted = self._given.output_directory
        if wanted != "":
            folder = output_folder(wanted, self.scene)
            async with claim(folder, self.scene, work) as beside:
                beside.mkdir(mode=0o755)
                for file, name in files.values():
                    await asyncio.to_thread(shutil.move, file, beside / name)
            paths = [folder / name for _, name in files.values()]
        return Artifact(
            maker="boxwright.bootstrap",
            id="disk" if image else "root",
            files=tuple(map(str, paths)),
            text=" and ".join(files),
            facts={
                "format": "qcow2" if image else PACKED,
                "user": "vagrant",
                "architecture": self._given.architecture,
                "providers": " ".join(self._given.formats),
            },
        )


async def _seal(guest: Guest, work: Work) -> None:
    ran = await guest.run("sudo -n sh -s", stdin=_SEAL.encode(), stdout=work.write, stderr=work.write)
    if ran.status:
        raise BoxwrightError(
            f"The system could not be sealed (exit status {ran.status}).",
            why="Its host keys and other things that must differ from machine to machine stay in it.",
        )

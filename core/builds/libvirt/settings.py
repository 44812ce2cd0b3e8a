"""The settings of the source "libvirt": those of Packer's plugin of that name."""

from __future__ import annotations

from typing import Any

import msgspec

from core.builds.communicator import Communicator
from core.builds.settings import Duration, Table, decode
from core.errors import ConfigError
from core.model.project import parse_size
from core.templates.model import Settings

_TYPED = ("boot_command", "boot_wait", "boot_keygroup_interval")
ORIGINS = ("external", "cloning", "backing-store", "cloud-init")


class Origin(Table, frozen=True, kw_only=True):
    """A ``source`` block within a ``volume``."""

    type: str
    urls: tuple[str, ...] = ()
    checksum: str = "none"
    pool: str = ""
    volume: str = ""
    user_data: str = ""
    meta_data: str = ""
    network_config: str = ""


class Volume(Table, frozen=True, kw_only=True):
    """A ``volume`` block."""

    alias: str = ""
    name: str = ""
    pool: str = "default"
    format: str = "qcow2"
    size: str = ""
    capacity: str = ""
    bus: str = ""
    device: str = "disk"
    target_dev: str = ""
    source: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def origin(self) -> Origin | None:
        return decode(self.source, Origin, 'block "source" of a volume') if self.source else None

    @property
    def bytes(self) -> int:
        """0: as large as what it is made from."""
        text = self.capacity or self.size
        if not text:
            return 0
        try:
            return parse_size(text if text[-1:] in "Bb" else f"{text}iB" if text[-1:].isalpha() else text)
        except ValueError as error:
            raise ConfigError(f"{error}.", why="It is the size of a volume.") from None


class Interface(Table, frozen=True, kw_only=True):
    """A ``network_interface`` block."""

    type: str = "managed"
    network: str = ""
    alias: str = ""
    model: str = "virtio"
    mac: str = ""


class LibvirtSettings(Communicator, frozen=True, kw_only=True):
    libvirt_uri: str = ""
    domain_name: str = ""
    domain_type: str = ""
    vcpu: int = 1
    memory: int = 512
    """MiB."""
    chipset: str = ""
    arch: str = "x86_64"
    cpu_mode: str = ""
    volume: tuple[dict[str, Any], ...] = ()
    network_interface: tuple[dict[str, Any], ...] = ()
    communicator_interface: str = ""
    """Read, not needed: the guest is reached by a port that is forwarded to it."""
    artifact_volume_alias: str = "artifact"
    graphics: tuple[dict[str, Any], ...] = ()
    """Read, not needed: nobody looks."""
    network_address_source: str = ""
    """Read, not needed, as above."""
    shutdown_mode: str = "acpi"
    shutdown_command: str = ""
    shutdown_timeout: Duration = 300.0
    boot_command: tuple[str, ...] = ()
    boot_wait: str = ""
    boot_keygroup_interval: str = ""
    boot_devices: tuple[str, ...] = ()

    @property
    def volumes(self) -> tuple[Volume, ...]:
        return tuple(decode(one, Volume, 'block "volume"') for one in self.volume)

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        return tuple(decode(one, Interface, 'block "network_interface"') for one in self.network_interface)

    @property
    def artifact(self) -> Volume:
        """The volume that is kept. Raises ConfigError where none is."""
        disks = [one for one in self.volumes if one.device == "disk" and not _is_seed(one)]
        named = [one for one in disks if one.alias == self.artifact_volume_alias]
        if len(named) != 1 and len(disks) != 1:
            raise ConfigError(
                f'No volume has the alias "{self.artifact_volume_alias}".',
                why="One volume is what the build keeps.",
                remedy=f'alias = "{self.artifact_volume_alias}"   (in its block)',
            )
        return named[0] if named else disks[0]

    @property
    def others(self) -> tuple[Volume, ...]:
        """Empty disks besides."""
        kept = self.artifact
        return tuple(one for one in self.volumes if one is not kept and one != kept and not _is_seed(one))

    @property
    def seed(self) -> Origin | None:
        """What cloud-init reads at the first boot."""
        return next((one.origin for one in self.volumes if _is_seed(one)), None)

    def check(self, *, needs_host: bool = False) -> None:
        """Raises ConfigError for what cannot work."""
        super().check(needs_host=needs_host)
        self._check_volumes()
        if any(getattr(self, name) for name in _TYPED) or self.boot_devices:
            raise ConfigError(
                "A libvirt build cannot type a boot_command or boot an installer.",
                why="It begins with a disk that boots, on which provisioners run.",
                remedy='source "qemu" installs from a CD; its image can be the volume here',
            )
        for one in self.interfaces:
            if one.type != "managed":
                raise ConfigError(
                    f'A network_interface of the type "{one.type}" is not supported.',
                    why="There are those of libvirt's networks: managed.",
                )
            if one.mac and not one.network:
                raise ConfigError(
                    'The "mac" of a network_interface needs its "network".',
                    why="It is that of the card in this network, not of that by which the guest is reached.",
                    remedy='network = "default"',
                )
        if self.shutdown_mode not in ("acpi", "guest"):
            raise ConfigError(
                f'"shutdown_mode" is {self.shutdown_mode!r}; it is "acpi" or "guest".',
                why="A guest that does not end by itself within shutdown_timeout is ended by force.",
            )

        if len(self.interfaces) > 1:
            raise ConfigError("More than one network_interface is not supported.", why="A build needs one.")

    def _check_volumes(self) -> None:
        kept = self.artifact
        if kept.origin is None:
            raise ConfigError(
                "The volume of the artifact has no source.",
                why="The machine has to boot from something.",
                remedy='source { type = "external" urls = [...] }, or type = "cloning" with pool and volume',
            )
        for one in self.volumes:
            origin = one.origin
            if one.format != "qcow2" or (one.device != "disk" and not _is_seed(one)):
                raise ConfigError(
                    f'A volume of the format "{one.format}" for a {one.device} is not supported.',
                    why="Volumes are disks of the format qcow2, besides cloud-init's CD.",
                )
            if origin is None:
                if not one.bytes:
                    raise ConfigError('A volume without a source needs "capacity".')
            elif origin.type not in ORIGINS:
                raise ConfigError(
                    f'A volume cannot come of "{origin.type}".', why=f"There is {', '.join(ORIGINS)}."
                )
            elif origin.type == "external" and not origin.urls:
                raise ConfigError('A source of the type "external" needs "urls".')
            elif origin.type in ("cloning", "backing-store") and not origin.volume:
                raise ConfigError(f'A source of the type "{origin.type}" needs "volume".')
            elif origin.type != "cloud-init" and one != kept:
                raise ConfigError(
                    "Only the volume of the artifact can have a source.",
                    why="The others are empty disks, or cloud-init's.",
                )


def _is_seed(volume: Volume) -> bool:
    return volume.source.get("type") == "cloud-init"


def read(settings: Settings) -> LibvirtSettings:
    return decode(settings, LibvirtSettings, 'source "libvirt"')

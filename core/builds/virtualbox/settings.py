"""The settings of the sources "virtualbox-ovf" and "virtualbox-iso": Packer's."""

from __future__ import annotations

import msgspec

from core.builds.communicator import Communicator
from core.builds.settings import Duration, decode
from core.errors import ConfigError
from core.templates.model import Settings

_TYPED = ("boot_command", "boot_steps")
_SERVED = ("http_directory", "http_content", "floppy_files", "floppy_dirs", "floppy_content")


class VirtualBoxSettings(Communicator, frozen=True, kw_only=True):
    vm_name: str = ""
    output_directory: str = ""
    output_filename: str = ""
    format: str = "ovf"
    export_opts: tuple[str, ...] = ()
    skip_export: bool = False
    vboxmanage: tuple[tuple[str, ...], ...] = ()
    vboxmanage_post: tuple[tuple[str, ...], ...] = ()
    shutdown_command: str = ""
    shutdown_timeout: Duration = 300.0
    headless: bool = True
    guest_additions_mode: str = "disable"
    cd_files: tuple[str, ...] = ()
    cd_content: dict[str, str] = msgspec.field(default_factory=dict)
    cd_label: str = "packer"
    checksum: str = "none"
    boot_command: tuple[str, ...] = ()
    boot_steps: tuple[tuple[str, ...], ...] = ()
    boot_wait: str = ""
    """Read, not needed: it is the pause before something is typed."""
    http_directory: str = ""
    http_content: dict[str, str] = msgspec.field(default_factory=dict)
    floppy_files: tuple[str, ...] = ()
    floppy_dirs: tuple[str, ...] = ()
    floppy_content: dict[str, str] = msgspec.field(default_factory=dict)
    virtualbox_version_file: str = ""
    """Read, not needed: nothing in the guest asks for it."""
    keep_registered: bool = False
    skip_nat_mapping: bool = False
    ssh_skip_nat_mapping: bool = False
    vrdp_bind_address: str = ""
    """Read, not needed, as the next two: nobody looks."""
    vrdp_port_min: int = 0
    vrdp_port_max: int = 0

    def check_machine(self) -> None:
        """Raises ConfigError for what cannot work."""
        self.check()
        if self.format not in ("ovf", "ova"):
            raise ConfigError(f'"format" is {self.format!r}; it is "ovf" or "ova".')
        if any(getattr(self, name) for name in _TYPED):
            raise ConfigError(
                "Nothing is typed into machines of VirtualBox.",
                why="That it works could not be shown: Boxwright is tested where VirtualBox runs no guest.",
                remedy='source "qemu" types the same boot_command; formats of boxes: "virtualbox"',
            )
        for name in _SERVED:
            if getattr(self, name):
                raise ConfigError(
                    f'"{name}" is not supported for machines of VirtualBox.', remedy="cd_files or cd_content"
                )
        if self.guest_additions_mode != "disable":
            raise ConfigError(
                f'guest_additions_mode = "{self.guest_additions_mode}" is not supported.',
                why="Boxwright brings none; a provisioner can install those of the distribution.",
                remedy='guest_additions_mode = "disable"',
            )
        for name in ("keep_registered", "skip_nat_mapping", "ssh_skip_nat_mapping"):
            if getattr(self, name):
                raise ConfigError(
                    f"{name} = true is not supported.",
                    why="A build's machine goes at its end, and is reached by a forwarded port.",
                )
        for words in (*self.vboxmanage, *self.vboxmanage_post):
            if not words or not words[0] or words[0].startswith("-"):
                raise ConfigError(
                    f"{list(words)!r} is no command of VBoxManage.",
                    remedy='vboxmanage = [["modifyvm", "{{.Name}}", "--vram", "32"]]',
                )


class OvfSettings(VirtualBoxSettings, frozen=True, kw_only=True):
    source_path: str = ""

    def check_machine(self) -> None:
        if not self.source_path:
            raise ConfigError('The source "virtualbox-ovf" needs "source_path".', why="An OVF or OVA.")
        super().check_machine()


class IsoSettings(VirtualBoxSettings, frozen=True, kw_only=True):
    iso_url: str = ""
    iso_urls: tuple[str, ...] = ()
    iso_checksum: str = ""
    guest_os_type: str = "Other"
    disk_size: int = 40000
    """MB."""
    cpus: int = 1
    memory: int = 512
    """MB."""

    def check_machine(self) -> None:
        if not (self.iso_url or self.iso_urls):
            raise ConfigError('The source "virtualbox-iso" needs "iso_url".')
        super().check_machine()


def read_ovf(settings: Settings) -> OvfSettings:
    return decode(settings, OvfSettings, 'source "virtualbox-ovf"')


def read_iso(settings: Settings) -> IsoSettings:
    return decode(settings, IsoSettings, 'source "virtualbox-iso"')

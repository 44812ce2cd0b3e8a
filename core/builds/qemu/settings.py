"""Settings of the source "qemu", as Packer names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from core.builds.communicator import Communicator
from core.builds.qemu.hardware import INTERFACES
from core.builds.settings import Duration
from core.errors import ConfigError
from core.model.project import parse_size

_MIB = 1024 * 1024


class QemuSettings(Communicator, frozen=True, kw_only=True):
    """Those that are read but have no use here say why."""

    not_needed: ClassVar[frozenset[str]] = Communicator.not_needed | {
        # Images of this computer are used where they lie; the web server is on loopback.
        "iso_skip_cache", "run_once", "http_interface",
    }  # fmt: skip
    refused: ClassVar[Mapping[str, str]] = {
        **Communicator.refused,
        "qemu_img_args": "Images are thin layers that are made and merged in ways of our own.",
        "vtpm": "Machines of builds have no TPM.",
        "use_tpm1": "Machines of builds have no TPM.",
    }

    iso_url: str = ""
    iso_urls: tuple[str, ...] = ()
    iso_checksum: str = ""
    iso_checksum_type: str = ""
    iso_target_path: str = ""
    """Read, not needed: images are kept by their checksums."""
    iso_target_extension: str = ""
    disk_image: bool = False
    use_backing_file: bool = False
    """Read, not needed: the disk that is worked on is always a thin layer on the image."""
    skip_resize_disk: bool = False
    disk_size: str = "40960M"
    disk_additional_size: tuple[str, ...] = ()
    disk_interface: str = "virtio"
    disk_cache: str = "writeback"
    disk_discard: str = "ignore"
    disk_detect_zeroes: str = "off"
    disk_compression: bool = False
    skip_compaction: bool = False
    """Read, not needed: the image is written once, from thin layers; there is no second pass to skip."""
    format: str = "qcow2"
    output_directory: str = ""
    vm_name: str = ""
    accelerator: str = ""
    machine_type: str = "pc"
    cpu_model: str = ""
    cpus: int = 1
    memory: int = 512
    net_device: str = "virtio-net"
    net_bridge: str = ""
    qemu_binary: str = ""
    qemuargs: tuple[tuple[str, ...], ...] = ()
    headless: bool = False
    """Read, not needed: a build never opens a window."""
    use_default_display: bool = False
    display: str = ""
    vga: str = ""
    efi_boot: bool = False
    efi_firmware_code: str = ""
    efi_firmware_vars: str = ""
    efi_drop_efivars: bool = False
    firmware: str = ""
    """A firmware that is code and variables in one, as QEMU's own ``-bios`` takes it."""
    use_pflash: bool = False
    tpm_device_type: str = ""
    """Read, not needed: there is no TPM."""
    sockets: int = 0
    cores: int = 0
    threads: int = 0
    http_network_protocol: str = "tcp"
    cdrom_interface: str = ""
    boot_command: tuple[str, ...] = ()
    boot_steps: tuple[tuple[str, ...], ...] = ()
    boot_wait: Duration = 10.0
    boot_key_interval: Duration = 0.1
    boot_keygroup_interval: Duration = 0.0
    disable_vnc: bool = False
    vnc_bind_address: str = ""
    """Read, not needed: the screen is reached through a private socket; so are the next three."""
    vnc_port_min: int = 0
    vnc_port_max: int = 0
    vnc_use_password: bool = False
    vnc_password: str = ""
    http_directory: str = ""
    http_content: dict[str, str] = msgspec.field(default_factory=dict)
    http_port_min: int = 8000
    http_port_max: int = 9000
    http_bind_address: str = "127.0.0.1"
    floppy_files: tuple[str, ...] = ()
    floppy_dirs: tuple[str, ...] = ()
    floppy_content: dict[str, str] = msgspec.field(default_factory=dict)
    floppy_label: str = "packer"
    cd_files: tuple[str, ...] = ()
    cd_content: dict[str, str] = msgspec.field(default_factory=dict)
    cd_label: str = "packer"
    host_port_min: int = 2222
    host_port_max: int = 4444
    ssh_host_port_min: int = 0
    ssh_host_port_max: int = 0
    skip_nat_mapping: bool = False
    shutdown_command: str = ""
    shutdown_timeout: Duration = 300.0
    qmp_enable: bool = False
    """Read, not needed: there is always a control socket."""
    qmp_socket_path: str = ""

    def check(self, *, needs_host: bool = False) -> None:
        super().check(needs_host=needs_host)
        if not self.urls:
            raise ConfigError('The source "qemu" needs "iso_url".', remedy='add iso_url = "..."')
        if not self.iso_checksum:
            raise ConfigError(
                '"iso_checksum" is missing.',
                why="It says whether the image is the right one.",
                remedy='add iso_checksum = "sha256:...", or "none" to take whatever is there',
            )
        if self.format not in ("qcow2", "raw"):
            raise ConfigError(f'"format" is {self.format!r}; it is "qcow2" or "raw".')
        if self.disk_interface not in INTERFACES:
            raise ConfigError(f'"disk_interface" is {self.disk_interface!r}, which is not known.')
        if self.cdrom_interface not in ("", *INTERFACES):
            raise ConfigError(f'"cdrom_interface" is {self.cdrom_interface!r}, which is not known.')
        if self.net_bridge:
            raise ConfigError(
                '"net_bridge" cannot be used.',
                why="Machines of builds use the host's network, and listen on loopback only.",
            )
        if not self.http_network_protocol.startswith("tcp"):
            raise ConfigError(f'"http_network_protocol" is {self.http_network_protocol!r}; it is "tcp".')
        for text in (self.disk_size, *self.disk_additional_size):
            self.bytes_of(text)
        for pair in self.qemuargs:
            if not 1 <= len(pair) <= 2:
                raise ConfigError('Each of "qemuargs" is ["-option", "value"].')
        if not self.disk_image and not (self.typed or self.account):
            raise ConfigError('An installation needs "boot_command" or a system that installs by itself.')

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.iso_url, *self.iso_urls) if self.iso_url else self.iso_urls

    @property
    def typed(self) -> str:
        """All of the boot command."""
        return "".join(self.boot_command) or "".join(step[0] for step in self.boot_steps if step)

    @property
    def uefi(self) -> bool:
        return self.efi_boot or bool(self.efi_firmware_code)

    @property
    def topology(self) -> str:
        """The processors as QEMU takes them, "" where only their number is said."""
        parts = {name: getattr(self, name) for name in ("sockets", "cores", "threads")}
        said = [f"{name}={number}" for name, number in parts.items() if number]
        return ",".join([f"cpus={self.cpus}", *said]) if said else ""

    def bytes_of(self, text: str) -> int:
        """Sizes without a unit count MiB, as in Packer. Raises ConfigError."""
        bare = text.strip()
        try:
            return int(bare) * _MIB if bare.isdigit() else parse_size(bare)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None


def shown(settings: QemuSettings) -> dict[str, str]:
    """What of the settings decides what the guest finds, as JSON; the rest only how it is made."""
    left_out = {
        "output_directory", "format", "disk_compression", "skip_compaction", "shutdown_command",
        "shutdown_timeout", "ssh_timeout", "ssh_wait_timeout", "http_port_min", "http_port_max",
        "host_port_min", "host_port_max", "ssh_host_port_min", "ssh_host_port_max", "headless",
        "pause_before_connecting", "ssh_handshake_attempts", "winrm_timeout", "winrm_no_proxy",
    }  # fmt: skip
    return {
        name: msgspec.json.encode(getattr(settings, name), order="deterministic").decode()
        for name in settings.__struct_fields__
        if name not in left_out
    }

"""The provider's table of the project file: ``[machines.<name>.libvirt]``.

The names are those of vagrant-libvirt, and a few of ours. What it repeats as a call (``libvirt.storage``)
is a table or a list of tables here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from core.providers.libvirt import address, checks, parts, refusals
from core.providers.options import read_table

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said there."""

    # Which libvirt, see :mod:`core.providers.libvirt.address`.
    uri: str = ""
    driver: Literal["", "kvm", "qemu"] = ""
    host: str = ""
    port: int = 0
    username: str = ""
    connect_via_ssh: bool | None = None
    id_ssh_key_file: str = ""
    socket: str = ""
    qemu_use_session: bool = False
    random_hostname: bool = True
    forward_ssh_port: bool = True
    mgmt_attach: bool = True
    suspend_mode: str = "managedsave"

    # Files.
    storage_pool_name: str = ""
    storage_pool_path: str = ""
    snapshot_pool_name: str = ""
    machine_virtual_size: int = 0
    """Of the first disk, in GB."""
    snapshots: Literal["internal", "external"] = "internal"

    # The domain.
    default_prefix: str = "boxwright-"
    title: str = ""
    description: str = ""
    autostart: bool = False
    accelerator: Literal["auto", "kvm", "tcg"] = "auto"
    machine: str = ""
    machine_type: str = ""
    emulator_path: str = ""
    loader: str = ""
    nvram: str = ""
    kernel: str = ""
    initrd: str = ""
    cmd_line: str = ""
    dtb: str = ""
    boot: tuple[str | dict[str, str], ...] | str = ()
    sysinfo: dict[str, dict[str, str] | list[str]] = {}
    features: tuple[str, ...] | None = None
    features_hyperv: tuple[parts.HypervFeature, ...] = ()
    hyperv_feature: parts.HypervFeature | tuple[parts.HypervFeature, ...] = ()
    kvm_hidden: bool = False
    clock_offset: str = ""
    clock_timer: parts.Timer | tuple[parts.Timer, ...] = ()
    qemuargs: parts.QemuArgument | tuple[parts.QemuArgument, ...] = ()
    qemuenv: dict[str, str] = {}

    # Of containers alone.
    init: str = ""
    """The first program, with its arguments."""

    # Memory and processors.
    memory: int | str = 0
    """MiB, or with its unit; instead of the machine's own ``memory``."""
    cpus: int = 0
    cpu: str = ""
    cpu_mode: str = ""
    cpu_model: str = ""
    cpu_fallback: Literal["allow", "forbid"] = "allow"
    cpu_feature: parts.CpuFeature | tuple[parts.CpuFeature, ...] = ()
    cputopology: parts.Topology | None = None
    cpuset: str = ""
    cpuaffinitiy: dict[str, str] = {}
    nodeset: str = ""
    numa_nodes: tuple[parts.NumaCell, ...] = ()
    nested: bool = False
    shares: int = 0
    memorybacking: parts.MemoryBacking | tuple[parts.MemoryBacking, ...] = ()
    memtune: parts.MemoryLimit | tuple[parts.MemoryLimit, ...] = ()
    memballoon_enabled: bool | None = None
    memballoon_model: str = "virtio"
    memballoon_pci_bus: str = ""
    memballoon_pci_slot: str = ""

    # Disks.
    disk_bus: Literal["virtio", "scsi", "sata", "ide", "usb"] = "virtio"
    disk_device: str = ""
    disk_address_type: str = ""
    disk_controller_model: str = ""
    disk_driver: parts.DiskDriver = parts.DiskDriver()
    volume_cache: str = ""
    storage: parts.Storage | tuple[parts.Storage, ...] = ()
    cdroms: tuple[str, ...] = ()
    """Images of CDs."""

    # Networks.
    networks: tuple[str | parts.Network, ...] = ()
    forward_mode: Literal["none", "nat", "route", "open"] = "none"
    """Of the project's own networks: ``none`` leads to the host and no further."""
    nic_model_type: str = "virtio"
    nic_adapter_count: int = 8
    management_network_name: str = ""
    management_network_address: str = ""
    management_network_mode: Literal["nat", "none", "route", "open", "veryisolated"] = "nat"
    management_network_device: str = ""
    management_network_mac: str = ""
    management_network_domain: str = ""
    management_network_mtu: int = 0
    management_network_autostart: bool = False
    management_network_guest_ipv6: bool | Literal["yes", "no"] = True
    management_network_keep: bool = False
    management_network_pci_bus: str = ""
    management_network_pci_slot: str = ""
    management_network_driver_iommu: bool = False

    # Screen and sound.
    display: Literal["none", "vnc"] = "none"
    graphics_type: Literal["", "none", "vnc", "spice"] = ""
    graphics_port: int = 0
    graphics_autoport: bool | Literal["yes", "no"] | None = None
    graphics_websocket: int = 0
    graphics_ip: str = "127.0.0.1"
    graphics_gl: bool = False
    keymap: str = ""
    video_type: str = ""
    video_vram: int = 0
    video_accel3d: bool = False
    sound_type: str = ""

    # Other devices.
    tpm_type: Literal["", "emulator", "passthrough"] = ""
    tpm_model: str = ""
    tpm_version: str = ""
    tpm_path: str = ""
    serial: parts.Serial | tuple[parts.Serial, ...] = ()
    input: parts.Input | tuple[parts.Input, ...] = ()
    channel: parts.Channel | tuple[parts.Channel, ...] = ()
    qemu_use_agent: bool = False
    random: parts.Random | None = None
    watchdog: parts.Watchdog | None = None
    usb_controller: parts.UsbController | None = None
    usb: parts.Usb | tuple[parts.Usb, ...] = ()
    pci: parts.Pci | tuple[parts.Pci, ...] = ()
    redirdev: parts.Redirection | tuple[parts.Redirection, ...] = ()
    redirfilter: parts.RedirectionFilter | tuple[parts.RedirectionFilter, ...] = ()
    smartcard: parts.Smartcard | None = None

    @property
    def graphics(self) -> str:
        """``none``, ``vnc`` or ``spice``."""
        return self.graphics_type or self.display

    @property
    def management_network(self) -> str:
        """Its name, vagrant-libvirt's usual one where only something else is said of it; "" for none."""
        names = [name for name in _FIELDS if name.startswith("management_network_")]
        said = any(getattr(self, name) != _FIELDS[name] for name in names)
        return self.management_network_name or ("vagrant-libvirt" if said else "")

    @property
    def pool(self) -> str:
        """The storage pool of the box's volumes; "" where disks are files in the machine's folder."""
        return self.storage_pool_name or self.snapshot_pool_name


_FIELDS = {field.name: field.default for field in msgspec.structs.fields(Options)}


def several(given: T | tuple[T, ...]) -> tuple[T, ...]:
    """One table stands for a list of one."""
    return given if isinstance(given, tuple) else (given,)


def read_options(table: Mapping[str, Any]) -> Options:
    """Raise UsageError where ``table`` holds an unknown key, a wrong value, or what cannot be done."""
    refusals.refuse(table)
    options = read_table(table, Options, "libvirt")
    checks.no_control_characters(table)
    checks.check(options)
    return msgspec.structs.replace(options, uri=address.compose(options))


def resolved_uri(table: Mapping[str, Any]) -> str:
    """Where a machine with this table is made."""
    return read_options(table).uri or address.default_uri()

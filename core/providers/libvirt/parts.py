"""Tables within the provider's table: devices and details, by the names that vagrant-libvirt has for them."""

from __future__ import annotations

from typing import Literal

import msgspec


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Attributes of one element of the domain."""


class Network(_Part, frozen=True):
    """One more network card: in a network of libvirt's, or at a bridge or a device of the host's."""

    network: str = ""
    bridge: str = ""
    device: str = ""
    """A card of the host's, which the guest shares (macvtap)."""
    mac: str = ""
    model: str = ""


class CpuFeature(_Part, frozen=True):
    name: str
    policy: Literal["force", "require", "optional", "disable", "forbid"] = "require"


class Topology(_Part, frozen=True):
    sockets: int | str
    cores: int | str
    threads: int | str


class NumaCell(_Part, frozen=True):
    cpus: str
    memory: int | str
    """KiB, as in the domain."""
    memAccess: str = ""


class HypervFeature(_Part, frozen=True):
    name: str
    state: Literal["on", "off"] = "on"
    retries: str = ""


class Timer(_Part, frozen=True):
    name: str
    track: str = ""
    tickpolicy: str = ""
    frequency: str = ""
    mode: str = ""
    present: Literal["", "yes", "no"] = ""


class MemoryLimit(_Part, frozen=True):
    type: Literal["hard_limit", "soft_limit", "swap_hard_limit"]
    value: int
    unit: str = "KiB"


class MemoryBacking(_Part, frozen=True):
    name: str
    config: dict[str, str] = {}


class DiskDriver(_Part, frozen=True):
    """How the host handles the images."""

    cache: str = ""
    io: str = ""
    copy_on_read: str = ""
    discard: str = ""
    detect_zeroes: str = ""


class Storage(_Part, frozen=True):
    """A disk, a CD or a floppy besides the box's."""

    device: Literal["disk", "cdrom", "floppy"] = "disk"
    size: str = ""
    """Of a new, empty disk, e.g. ``20G``."""
    path: str = ""
    """Of an image that is there already; from the project's folder."""
    type: str = ""
    """Format of that image."""
    bus: str = ""
    dev: str = ""
    serial: str = ""
    wwn: str = ""
    cache: str = ""
    io: str = ""
    copy_on_read: str = ""
    discard: str = ""
    detect_zeroes: str = ""
    address_type: str = ""
    shareable: bool = False


class Serial(_Part, frozen=True):
    """A serial port besides the console's."""

    type: Literal["pty", "file", "null"] = "pty"
    source: dict[Literal["path"], str] = {}


class Input(_Part, frozen=True):
    type: str = "mouse"
    bus: str = "ps2"


class Channel(_Part, frozen=True):
    type: Literal["unix", "spicevmc", "pty", "dev", "file"]
    source_mode: str = ""
    source_path: str = ""
    target_type: str = "virtio"
    target_name: str = ""
    target_address: str = ""
    target_port: str = ""


class Random(_Part, frozen=True):
    model: Literal["random"] = "random"


class Watchdog(_Part, frozen=True):
    model: str = "i6300esb"
    action: str = "reset"


class UsbController(_Part, frozen=True):
    model: str
    ports: int | None = None


class Usb(_Part, frozen=True):
    """A USB device of the host's."""

    vendor: str = ""
    product: str = ""
    bus: str = ""
    device: str = ""
    startupPolicy: str = ""


class Pci(_Part, frozen=True):
    """A PCI device of the host's."""

    bus: str
    slot: str
    function: str
    domain: str = "0x0000"
    guest_bus: str = ""
    guest_slot: str = ""
    guest_function: str = ""
    guest_domain: str = ""


class Redirection(_Part, frozen=True):
    type: Literal["spicevmc"] = "spicevmc"


class RedirectionFilter(_Part, frozen=True):
    allow: Literal["yes", "no"]
    # A name of its own: ``class`` is a word of Python's.
    class_: str = msgspec.field(default="-1", name="class")
    vendor: str = "-1"
    product: str = "-1"
    version: str = "-1"


class Smartcard(_Part, frozen=True):
    mode: Literal["passthrough"] = "passthrough"
    type: Literal["spicevmc"] = "spicevmc"


class QemuArgument(_Part, frozen=True):
    value: str

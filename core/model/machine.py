"""Machines as everybody sees them."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class MachineKey(msgspec.Struct, frozen=True, order=True):
    """What a user calls a machine: its project's folder (absolute path) and its name."""

    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}:{self.name}"


class MachineState(enum.StrEnum):
    """States, in the words that are shown."""

    ABSENT = "not created"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    BROKEN = "broken"
    """There is a record, but what it stands for is damaged or gone; ``Machine.trouble`` says how."""

    @property
    def created(self) -> bool:
        return self is not MachineState.ABSENT


class Forward(msgspec.Struct, frozen=True):
    """A port of the guest that is reachable on the host's loopback."""

    guest: int
    host: int
    wanted: int = 0
    """The host port asked for, where a collision moved it; else 0."""
    protocol: str = "tcp"
    name: str = ""


SSH = "ssh"
"""The communicator of most guests."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How a guest is reached, without secrets: files are named, never quoted."""

    host: str
    """For SSH a host; for other communicators the address of what they talk to."""
    port: int
    user: str
    communicator: str = SSH
    """``ssh``, or the name of another one in the entry-point group ``boxwright.communicators``."""
    target: str = ""
    """What the guest is called there, for communicators other than SSH."""
    identity: str = ""
    """Path of the private key, "" before one is known."""
    known_hosts: str = ""
    """Path of the file with the pinned host key."""
    forward_agent: bool = False


class Holder(msgspec.Struct, frozen=True):
    """Who holds a machine: an operation, what it does, since when (Unix time)."""

    operation: str
    action: str
    since: float


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    created: float
    """Unix time."""
    size: int = 0
    """Bytes of saved memory; 0 for a snapshot of the disk alone."""
    parent: str = ""
    current: bool = False

    @property
    def has_memory(self) -> bool:
        return self.size > 0


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a running machine; totals since its start, so that rates are differences."""

    time: float
    cpu_seconds: float
    memory: int
    """Bytes of host memory in use."""
    disk_read: int = 0
    disk_written: int = 0
    net_received: int = 0
    net_sent: int = 0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that was destroyed, and can be brought back for a while."""

    key: MachineKey
    id: str
    destroyed: float
    """Unix time."""
    until: float
    """Unix time: from then on it is removed."""
    size: int
    """Bytes on disk."""
    provider: str = ""
    box: str = ""
    snapshots: int = 0


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of a project, created or not."""

    key: MachineKey
    state: MachineState
    id: str = ""
    """Name of its folder and of everything it owns at a hypervisor; "" until created."""
    project_name: str = ""
    provider: str = ""
    provider_reason: str = ""
    box: str = ""
    box_version: str = ""
    cpus: int = 1
    memory: int = 0
    """Bytes."""
    ports: tuple[Forward, ...] = ()
    endpoint: Endpoint | None = None
    snapshots: tuple[Snapshot, ...] = ()
    holder: Holder | None = None
    waiting: tuple[Holder, ...] = ()
    """Operations queued behind the holder."""
    created: float = 0.0
    started: float = 0.0
    provisioned: bool = False
    screen: str = ""
    """Path of the socket at which its screen is looked at by VNC, while it runs; "" where it has none."""
    trouble: str = ""
    kept: Kept | None = None
    """Of one that is not created: what was destroyed last under its name, while it can be brought back."""
    facts: dict[str, str] = {}
    """What the provider wants to be shown, e.g. ``{"acceleration": "tcg (no vmx or svm ...)"}``."""

    @property
    def name(self) -> str:
        return self.key.name


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk image, as a box or a provider has it."""

    path: str
    format: str = "qcow2"
    size: int = 0
    """Virtual size in bytes, 0 where not known."""
    name: str = ""


class ExtraDisk(msgspec.Struct, frozen=True, kw_only=True):
    """An empty disk that a machine is given besides its box's."""

    name: str
    size: int
    """Bytes."""


class PlannedNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's place in a network that the machines of a project share."""

    name: str
    """Safe in names of bridges and networks, unique to the project: the same on all of its machines."""
    label: str
    """As the project calls it."""
    mac: str
    """Of the machine's interface, ``52:54:00:...``."""
    subnet: str
    """In CIDR form, e.g. ``10.213.7.0/24``; the first address belongs to the host, where it has one."""
    address: str = ""
    """The machine's own, without prefix."""


class WantedPort(msgspec.Struct, frozen=True, kw_only=True):
    """A forwarding that the project asks for."""

    guest: int
    host: int = 0
    """0: any free one."""
    protocol: str = "tcp"
    name: str = ""
    auto_correct: bool = True
    """Take the next free port where ``host`` is in use; else the collision is an error."""


class MachinePlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a provider needs to know of one machine; it is stored, so it outlives the project file."""

    id: str
    """12 hexadecimal digits: safe in file names and names of domains."""
    key: MachineKey
    folder: str
    """The machine's private folder (exists): everything the provider stores lies in here."""
    runtime: str
    """Short private folder for Unix sockets; may vanish when the host reboots."""
    disks: tuple[Disk, ...]
    """The box's images, read-only: machines are linked clones of these."""
    firmware: str = "bios"
    """``bios`` or ``uefi``."""
    architecture: str = "x86_64"
    cpus: int = 1
    memory: int = 512 * 1024 * 1024
    """Bytes."""
    extra_disks: tuple[ExtraDisk, ...] = ()
    ports: tuple[WantedPort, ...] = ()
    """SSH (guest port 22, name "ssh") is always among them."""
    networks: tuple[PlannedNetwork, ...] = ()
    """Besides the one that every machine has for its way out and its forwarded ports."""
    hostname: str = ""
    """"" where the project names none."""
    box_name: str = ""
    box_version: str = ""
    box_files: dict[str, str] = {}
    """The box's files: path within the box to the absolute, read-only path in the store. Empty for a
    machine without a box, e.g. a container from an image that its options name."""
    box_metadata: dict[str, Any] = {}
    """The box's ``metadata.json``."""
    halt_timeout: float = 60.0
    """Seconds for an orderly halt before it is forced."""
    options: dict[str, Any] = {}
    """The provider's own table of the project file, e.g. ``[machines.web.qemu]``; checked by the provider."""

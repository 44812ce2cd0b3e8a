"""What is remembered of a machine between engines: a small file in the machine's folder."""

from __future__ import annotations

import msgspec

from core.errors import ProviderError
from core.model.machine import Forward
from core.providers.qemu.layout import Layout
from core.providers.records import read_record, write_record


class DiskFile(msgspec.Struct, frozen=True, kw_only=True):
    """A disk of the machine."""

    file: str
    """Name in the machine's home."""
    node: str
    """Name of the block node in QEMU."""
    extra: str = ""
    """For an extra disk: its name in the project."""
    backing: str = ""
    """Absolute path of the image of the box that this one is a linked clone of."""
    bases: tuple[str, ...] = ()
    """Names of the files in the machine's home between this one and the box's, from the top: they never
    change, as other machines have them, too."""


class Nic(msgspec.Struct, frozen=True):
    """An interface in a network of machines."""

    mac: str
    group: str
    """Where the network's frames go: a multicast address and a port, on the loopback alone."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """The virtual hardware. Saved memory fits only the very hardware that it was saved from."""

    architecture: str
    machine: str
    """QEMU's machine type; replaced by its versioned name when memory is saved."""
    accelerator: str
    cpu: str
    cpus: int
    memory: int
    """Bytes."""
    disks: tuple[str, ...]
    """Node names of the disks that are attached, in order."""
    firmware: str = ""
    """Path of the UEFI code image; "" for the machine's own BIOS."""
    display: str = "none"
    """As in the options. Not said by records from before machines had a card."""
    networks: tuple[Nic, ...] = ()
    args: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        """Its screen can be looked at. Arguments of the project's own may have taken it elsewhere."""
        drawn = self.display == "vnc" or (self.display == "screen" and self.architecture == "x86_64")
        return drawn and "-vnc" not in self.args


class SavedPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot."""

    name: str
    tag: str
    """Its name inside of the images."""
    created: float
    size: int = 0
    parent: str = ""
    """Tag of the snapshot that it was made on top of."""
    disks: tuple[str, ...]
    launch: Launch | None = None
    """For a snapshot with memory: the hardware that it needs."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that lasts of a machine besides its disks."""

    id: str
    disks: tuple[DiskFile, ...]
    nvram: DiskFile | None = None
    """The UEFI variables."""
    ports: tuple[Forward, ...] = ()
    """As they were when the machine last ran: the same are tried again."""
    facts: dict[str, str] = {}
    launch: Launch | None = None
    """As the machine was last started."""
    points: tuple[SavedPoint, ...] = ()
    current: str = ""
    """Tag of the snapshot that the disks go on from."""

    def disk(self, node: str) -> DiskFile:
        for disk in self.all_disks:
            if disk.node == node:
                return disk
        raise ProviderError(
            f"The machine has no disk {node!r} any more.",
            why="Its record and its saved state do not fit together.",
            remedy="boxwright destroy, then boxwright up",
        )

    @property
    def all_disks(self) -> tuple[DiskFile, ...]:
        return self.disks + ((self.nvram,) if self.nvram else ())

    def point(self, name: str) -> SavedPoint | None:
        return next((point for point in self.points if point.name == name), None)


def read(layout: Layout) -> Record | None:
    """The machine's record, None where there is none.

    Raises ProviderError for one that cannot be understood.
    """
    return read_record(layout.record, Record)


def write(layout: Layout, record: Record) -> None:
    """Whoever reads sees the old or the new one, whole."""
    write_record(layout.record, record)

"""What is remembered of a machine between engines: a small file in the machine's folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.errors import ProviderError
from core.model.machine import Forward
from core.providers.libvirt.layout import Layout
from core.providers.records import read_record, write_record


class DiskFile(msgspec.Struct, frozen=True, kw_only=True):
    """A disk of the machine; its place among the record's disks is its place at the machine's bus."""

    file: str
    """Name in the machine's home."""
    extra: str = ""
    """For an extra disk: its name in the project."""
    bases: tuple[str, ...] = ()
    """Files of the machine's home below this one, the nearest first: external snapshots have them."""
    backing: str = ""
    """Absolute path of the image that this one is a linked clone of, or name of the volume."""
    pool: str = ""
    """The storage pool that has it as the volume ``file``; "" for a file in the machine's home."""
    path: str = ""
    """Of a volume: absolute, where the hypervisor is."""


class ExternalPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot outside of the images."""

    tag: str
    name: str
    created: float
    parent: str = ""
    """Tag of the one that it was made on top of."""
    memory: str = ""
    """Name of the file with it; "" for disks alone."""
    disks: tuple[DiskFile, ...]
    """As they were; nothing writes to these files any more."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that lasts of a machine besides its disks and its domain."""

    id: str
    uri: str
    """The libvirt that has the domain."""
    disks: tuple[DiskFile, ...]
    uploads: tuple[tuple[str, str, str], ...] = ()
    """Box volumes that Boxwright has made, and that this machine uses: pool, name, path."""
    pools: tuple[str, ...] = ()
    """Storage pools that Boxwright has made for it."""
    networks: tuple[str, ...] = ()
    """Networks that it has been in and that Boxwright may have made."""
    points: tuple[ExternalPoint, ...] = ()
    """Oldest first."""
    current: str = ""
    """Tag of the external snapshot that the disks go on from."""
    ports: tuple[Forward, ...] = ()
    """As they were when the machine last ran: the same are tried again."""
    facts: dict[str, str] = {}
    definition: str = ""
    """Digest of the domain's XML as it was last written: one that a user has edited stays as it is."""
    target: str = ""
    """The libvirt that a move was begun to, where a domain of the machine may still come up; "" for none."""
    far: tuple[int, ...] = ()
    """Of a machine on another computer: its ports on the loopback there, in the order of ``ports``."""
    run: str = ""
    """Which run of the domain has the forwardings, see :func:`run_of`."""


def run_of(domain_id: int) -> str:
    """Tells one run of a domain from all others: libvirt numbers them, beginning anew with the host."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return f"{boot}:{domain_id}"


def read(layout: Layout) -> Record | None:
    """The machine's record, None where there is none.

    Raises ProviderError for one that cannot be understood.
    """
    return read_record(layout.record, Record)


def readable(layout: Layout) -> Record | None:
    """For removing a machine: None for a broken record, too, as all else goes without it."""
    try:
        return read(layout)
    except ProviderError:
        return None


def write(layout: Layout, record: Record) -> None:
    """Replace the record: whoever reads sees the old or the new one, whole."""
    write_file(layout.record, record)


def write_file(path: Path, record: Record) -> None:
    write_record(path, record)

"""Disks, CDs and floppies of a machine's domain."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from core.model.machine import ExtraDisk, MachinePlan
from core.providers.libvirt import checks
from core.providers.libvirt.element import add, attributes_of
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options, several
from core.providers.libvirt.parts import DiskDriver, Storage
from core.providers.libvirt.record import Record

_UNSAFE = re.compile(r"[^A-Za-z0-9_. -]")
_LETTERS = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd", "fdc": "fd", "xen": "xvd"}
_DRIVER = ("cache", "io", "copy_on_read", "discard", "detect_zeroes")


def extra_disks(plan: MachinePlan, options: Options) -> tuple[ExtraDisk, ...]:
    """The new disks that the plan and the provider's table ask for."""
    return (*plan.extra_disks, *(disk for disk, _ in _stored(options)))


def _stored(options: Options) -> Iterator[tuple[ExtraDisk, Storage]]:
    for number, part in enumerate(several(options.storage)):
        if part.device == "disk" and part.size:
            name = part.serial or f"storage{number}"
            yield ExtraDisk(name=name, size=checks.size("size", part.size)), part


def add_drives(devices: Element, plan: MachinePlan, options: Options, record: Record, layout: Layout) -> None:
    names = _Names()
    order = [name for name, _ in checks.boot_order(options)]
    _controllers(devices, options)
    _own_disks(devices, plan, options, record, layout, names, order)
    _attached(devices, plan, options, names)
    _removable(devices, plan, options, names, order)


class _Names:
    """Names of targets, as vda: each once. Taken ones keep theirs when a disk before them goes."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def at(self, bus: str, place: int) -> str:
        return self.take(f"{_LETTERS[bus]}{_letters(place)}")

    def take(self, name: str) -> str:
        self._taken.add(name)
        return name

    def free(self, bus: str) -> str:
        names = (f"{_LETTERS[bus]}{_letters(place)}" for place in itertools.count())
        return self.take(next(name for name in names if name not in self._taken))


def _letters(place: int) -> str:
    """a ... z, aa ..."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _controllers(devices: Element, options: Options) -> None:
    if options.disk_controller_model:
        add(devices, "controller", type="scsi", index="0", model=options.disk_controller_model)


def _driver(disk: Element, kind: str, options: Options, part: Storage | None = None) -> None:
    given = options.disk_driver
    if part:
        given = DiskDriver(**{name: getattr(part, name) or getattr(given, name) for name in _DRIVER})
    attributes = attributes_of(given)
    attributes["cache"] = given.cache or options.volume_cache
    attributes["discard"] = given.discard or "unmap"
    add(disk, "driver", name="qemu", type=kind, **attributes)


def _own_disks(
    devices: Element,
    plan: MachinePlan,
    options: Options,
    record: Record,
    layout: Layout,
    names: _Names,
    order: list[str],
) -> None:
    wanted = {disk.name for disk in extra_disks(plan, options)}
    parts = {disk.name: part for disk, part in _stored(options)}
    first = order.index("hd") + 1 if "hd" in order else len(order) + 1
    for place, file in enumerate(record.disks):
        if file.extra and file.extra not in wanted:
            continue
        part = parts.get(file.extra)
        bus = (part.bus if part else "") or options.disk_bus
        disk = add(devices, "disk", type="file", device="disk")
        _driver(disk, "qcow2", options, part)
        add(disk, "source", file=file.path or layout.home / file.file)
        if place == 0 and options.disk_device:
            target = names.take(options.disk_device)
        elif part and part.dev:
            target = names.take(part.dev)
        else:
            target = names.at(bus, place)
        add(disk, "target", dev=target, bus=bus)
        if file.extra:
            # The guest finds it as /dev/disk/by-id/virtio-<name>; QEMU takes 20 characters.
            add(disk, "serial", _UNSAFE.sub("_", file.extra)[:20])
        else:
            add(disk, "boot", order=first + place)
        if part:
            _details(disk, part)
        address = (part.address_type if part else "") or options.disk_address_type
        if address:
            add(disk, "address", type=address)


def _details(disk: Element, part: Storage) -> None:
    if part.shareable:
        add(disk, "shareable")
    if part.wwn:
        add(disk, "wwn", part.wwn)


def _attached(devices: Element, plan: MachinePlan, options: Options, names: _Names) -> None:
    """Disks of somebody's that are there already."""
    for part in several(options.storage):
        if part.device != "disk" or not part.path:
            continue
        bus = part.bus or options.disk_bus
        disk = add(devices, "disk", type="file", device="disk")
        _driver(disk, part.type or "qcow2", options, part)
        add(disk, "source", file=_path(plan, part.path))
        add(disk, "target", dev=names.take(part.dev) if part.dev else names.free(bus), bus=bus)
        if part.serial:
            add(disk, "serial", part.serial)
        _details(disk, part)
        if part.address_type:
            add(disk, "address", type=part.address_type)


def removable(options: Options) -> tuple[Storage, ...]:
    """CDs and floppies."""
    asked = (part for part in several(options.storage) if part.device != "disk")
    return (*(Storage(device="cdrom", path=path) for path in options.cdroms), *asked)


def _removable(
    devices: Element, plan: MachinePlan, options: Options, names: _Names, order: list[str]
) -> None:
    first = order.index("cdrom") + 1 if "cdrom" in order else 0
    for part in removable(options):
        bus = part.bus or ("fdc" if part.device == "floppy" else cd_bus(plan, options))
        disk = add(devices, "disk", type="file", device=part.device)
        add(disk, "driver", name="qemu", type=part.type or "raw")
        add(disk, "source", file=_path(plan, part.path))
        add(disk, "target", dev=names.take(part.dev) if part.dev else names.free(bus), bus=bus)
        if part.device == "cdrom":
            add(disk, "readonly")
            if first:
                add(disk, "boot", order=first)
                first = 0


def cd_bus(plan: MachinePlan, options: Options) -> str:
    """What every guest of that machine type has a driver for."""
    machine = options.machine or options.machine_type
    if plan.architecture != "x86_64":
        return "scsi"
    return "ide" if has_plain_pci(machine) else "sata"


def has_plain_pci(machine: str) -> bool:
    """The older kind of PC."""
    return machine == "pc" or machine.startswith("pc-i440fx")


def _path(plan: MachinePlan, path: str) -> Path:
    """Relative ones begin in the project's folder."""
    return Path(plan.key.project, Path(path).expanduser())


def files(plan: MachinePlan, options: Options) -> tuple[Path, ...]:
    """Images that have to be there before a start."""
    parts = [part for part in several(options.storage) if part.device == "disk" and part.path]
    return tuple(_path(plan, part.path) for part in (*parts, *removable(options)))

"""Making machines: their files or volumes, and their domain, brought up to date before each start."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec

from core.errors import ProviderError
from core.model.machine import ExtraDisk, MachinePlan, MachineState
from core.model.work import Work
from core.providers import firmware, images, wire
from core.providers.acceleration import Acceleration
from core.providers.libvirt import address, definition, domains, drives, networks, pooling
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.containers import definition as containers
from core.providers.libvirt.containers import root
from core.providers.libvirt.context import Context, facts, uri_of
from core.providers.libvirt.definition import Hardware, Wire
from core.providers.libvirt.domains import Row
from core.providers.libvirt.host import choose, host_of, owner
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options, read_options
from core.providers.libvirt.record import DiskFile, Record
from core.providers.libvirt.xen import definition as xen
from core.undo import remove

SLOW = 120.0
"""Seconds for calls that make or start a domain."""


async def create(context: Context, plan: MachinePlan, work: Work) -> None:
    """All files are made in a folder beside, which then gets its name; the domain comes last."""
    refuse_existing(plan)
    options = read_options(plan.options)
    layout = Layout.of(plan)
    uri = uri_of(plan)
    async with context.changing(plan) as watched:
        # A libvirt that cannot be reached is said before there is anything to undo.
        await context.connection(uri).handle()
        work.intend("path", path=str(layout.home))
        work.intend("path", path=str(layout.staging))
        record = Record(id=plan.id, uri=uri, disks=(), networks=_names(plan, options, uri))
        await begin(layout)
        record = await _make_disks(context, plan, options, record, work)
        await settle_files(plan, options, record, layout)
        work.intend("libvirt.domain", **facts(plan, uri))
        row = await context.connection(uri).run(domains.row, plan.id)
        await define(context.connection(uri), plan, record, row)
        watched.known = MachineState.STOPPED


def refuse_existing(plan: MachinePlan) -> None:
    """Raise ProviderError where the machine is there already."""
    if Layout.of(plan).home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )


async def begin(layout: Layout) -> None:
    """An empty folder for files that are being made."""
    await asyncio.to_thread(remove, layout.staging)
    layout.staging.mkdir(mode=0o700)


async def settle_files(plan: MachinePlan, options: Options, record: Record, layout: Layout) -> None:
    """The folder has all that it needs, and gets its name."""
    elsewhere = is_far(record) or address.is_xen(record.uri)
    _copy_variables(plan, options, layout.staging / layout.variables.name, far=elsewhere)
    records.write_file(layout.staging / layout.record.name, record)
    layout.staging.rename(layout.home)


def _names(plan: MachinePlan, options: Options, uri: str) -> tuple[str, ...]:
    return tuple(network.name for network in networks.wanted(plan, options, uri))


def is_far(record: Record) -> bool:
    """The machine is on another computer."""
    return address.far_host(record.uri) is not None


async def _make_disks(
    context: Context, plan: MachinePlan, options: Options, record: Record, work: Work
) -> Record:
    if options.machine_virtual_size and plan.disks:
        grown = msgspec.structs.replace(plan.disks[0], size=_grown(plan, options))
        plan = msgspec.structs.replace(plan, disks=(grown, *plan.disks[1:]))
    staging = Layout.of(plan).staging
    if address.is_container(record.uri):
        return _with(record, await root.unpack(plan, staging, work))
    pooled = pooling.pools_for(options, record.uri)
    if pooled:
        record = await pooling.make_disks(context, plan, options, record, work)
    else:
        for number, disk in enumerate(plan.disks):
            file = f"disk{number}.qcow2"
            backing = await images.create_overlay(staging / file, disk)
            record = _with(record, DiskFile(file=file, backing=str(backing)))
    for extra in drives.extra_disks(plan, options):
        if pooled:
            record = await pooling.make_extra(context, plan, options, record, extra, work)
        else:
            record = await _make_extra(staging, record, extra)
    return record


def _grown(plan: MachinePlan, options: Options) -> int:
    size = options.machine_virtual_size * 10**9
    if size < plan.disks[0].size:
        raise ProviderError(
            f"The first disk cannot have {options.machine_virtual_size} GB.",
            why=f"The box's image has {plan.disks[0].size / 10**9:.1f} GB, and images only grow.",
            remedy="remove machine_virtual_size, or choose a larger one",
        )
    return size


def _with(record: Record, disk: DiskFile) -> Record:
    return msgspec.structs.replace(record, disks=(*record.disks, disk))


async def _make_extra(folder: Path, record: Record, disk: ExtraDisk) -> Record:
    file = f"extra{sum(1 for known in record.disks if known.extra)}.qcow2"
    await images.create_empty(folder / file, disk.size)
    return _with(record, DiskFile(file=file, extra=disk.name))


async def with_extra_disks(context: Context, plan: MachinePlan, record: Record, work: Work) -> Record:
    """Make the extra disks that the plan has and the machine not yet."""
    layout, options = Layout.of(plan), read_options(plan.options)
    there = {disk.extra for disk in record.disks}
    for disk in drives.extra_disks(plan, options):
        if disk.name in there:
            continue
        if record.disks and record.disks[0].pool:
            record = await pooling.make_extra(context, plan, options, record, disk, work)
            records.write(layout, record)
            work.commit()
            continue
        number = sum(1 for known in record.disks if known.extra)
        intent = work.intend("path", path=str(layout.home / f"extra{number}.qcow2"))
        record = await _make_extra(layout.home, record, disk)
        records.write(layout, record)
        intent.settle()
    return record


def _copy_variables(plan: MachinePlan, options: Options, target: Path, *, far: bool) -> None:
    """The machine's own UEFI variables; on another computer libvirt makes them by itself."""
    if far or target.exists():
        return
    if options.nvram:
        shutil.copyfile(options.nvram, target)
    elif plan.firmware == "uefi" and not options.loader:
        found = firmware.find(plan.architecture)
        shutil.copyfile(firmware.variables_of(plan.box_files, found), target)


async def define(
    connection: Connection, plan: MachinePlan, record: Record, row: Row | None
) -> tuple[Record, Acceleration | None]:
    """Bring the domain up to date with the plan; one that a user has edited since stays as it is. Returns how
    it is accelerated, where it is a virtual machine."""
    layout = Layout.of(plan)
    options = read_options(plan.options)
    name = row.name if row else definition.domain_name(plan, options)
    if address.is_container(record.uri):
        chosen, xml = None, containers.build(name, plan, options, layout)
    elif address.is_xen(record.uri):
        chosen, xml = None, xen.build(name, plan, options, record, layout)
    else:
        chosen, xml = await _virtual(connection, name, plan, options, record)
    digest = definition.digest(f"{xml}{options.autostart}")
    if row is None or record.definition != digest:
        await connection.run(domains.define, plan.id, name, xml, options.autostart, timeout=SLOW)
        known = (*record.networks, *_names(plan, options, record.uri))
        record = msgspec.structs.replace(record, definition=digest, networks=tuple(dict.fromkeys(known)))
        records.write(layout, record)
    return record, chosen


async def _virtual(
    connection: Connection, name: str, plan: MachinePlan, options: Options, record: Record
) -> tuple[Acceleration, str]:
    """How a virtual machine is accelerated, and its XML."""
    layout = Layout.of(plan)
    host = await host_of(connection)
    far = is_far(record)
    chosen = choose(accelerator(options), plan, host, far=far)
    hardware = Hardware(
        kvm=chosen.name == "kvm",
        owner=owner() if host.chowns and not far else "",
        firmware=_firmware(plan, far=far),
        far=far,
        wires=_wires(plan, record.uri),
    )
    _copy_variables(plan, options, layout.variables, far=far)
    return chosen, definition.build(name, plan, options, record, layout, hardware)


def _wires(plan: MachinePlan, uri: str) -> tuple[Wire, ...]:
    if not networks.by_wire(uri):
        return ()
    return tuple(Wire(network.mac, wire.group(network.name)) for network in plan.networks)


def _firmware(plan: MachinePlan, *, far: bool) -> str:
    """On another computer that is libvirt's to find."""
    if plan.firmware != "uefi":
        return ""
    return "auto" if far else str(firmware.find(plan.architecture).code)


def accelerator(options: Options) -> str:
    """As the options say, in the words of :mod:`core.providers.acceleration`."""
    return {"kvm": "kvm", "qemu": "tcg", "": options.accelerator}[options.driver]

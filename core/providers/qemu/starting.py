"""Starting QEMU for a machine, until it answers on its monitor."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

import msgspec

from core.errors import ProviderError
from core.model.machine import Forward, MachinePlan
from core.model.work import Work
from core.providers import acceleration, firmware, ports, tools, wire
from core.providers.neighbours import ports_of_others
from core.providers.ports import Claims
from core.providers.qemu import command, disks, processes
from core.providers.qemu import record as records
from core.providers.qemu.last_words import died, last_words
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link, Links
from core.providers.qemu.options import read_options
from core.providers.qemu.record import Launch, Nic, Record

ATTEMPTS = 5
"""How often other ports are tried where one was taken between choice and start."""

_TAKEN = re.compile(r"Could not set up host forwarding rule '(tcp|udp):[\d.]+:(\d+)-")


def hardware(plan: MachinePlan, record: Record) -> tuple[Launch, acceleration.Acceleration]:
    """The virtual hardware that the plan asks for, on this computer."""
    options = read_options(plan.options)
    chosen = acceleration.choose(options.accelerator, plan.architecture, acceleration.this_host())
    extra = {disk.extra: disk.node for disk in record.disks if disk.extra}
    own = [disk.node for disk in record.disks if not disk.extra]
    attached = [extra[disk.name] for disk in plan.extra_disks if disk.name in extra]
    launch = Launch(
        architecture=plan.architecture,
        machine=options.machine or command.MACHINES.get(plan.architecture, "virt"),
        accelerator=chosen.name,
        cpu=options.cpu or chosen.cpu,
        cpus=plan.cpus,
        memory=plan.memory,
        disks=(*own, *attached),
        firmware=str(firmware.find(plan.architecture).code) if plan.firmware == "uefi" else "",
        display=options.display,
        networks=tuple(Nic(network.mac, wire.group(network.name)) for network in plan.networks),
        args=options.args,
    )
    return launch, chosen


async def with_extra_disks(plan: MachinePlan, layout: Layout, record: Record, work: Work) -> Record:
    """Make the extra disks that the plan has and the machine not yet."""
    there = {disk.extra for disk in record.disks}
    for disk in plan.extra_disks:
        if disk.name in there:
            continue
        number = sum(1 for known in record.disks if known.extra)
        intent = work.intend("path", path=str(layout.home / f"extra{number}.qcow2"))
        made = await disks.create_extra(layout.home, number, disk)
        record = msgspec.structs.replace(record, disks=(*record.disks, made))
        records.write(layout, record)
        intent.settle()
    return record


async def launch(
    links: Links,
    claims: Claims,
    plan: MachinePlan,
    record: Record,
    hardware: Launch,
    facts: dict[str, str],
    *,
    paused: bool = False,
    incoming: bool = False,
) -> tuple[Link, Record]:
    """Start the process; the caller has written down the intent.

    Raises ProviderError with QEMU's last words where it dies. Returns the link and the record with the
    ports as they are, which is also on disk.
    """
    layout = Layout.of(plan)
    emulator = tools.emulator(hardware.architecture)
    layout.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.log.write_bytes(b"")
    refused: frozenset[int] = frozenset()
    try:
        for _ in range(ATTEMPTS):
            forwards = ports.choose(plan, claims, record.ports, others=ports_of_others(plan), refused=refused)
            record = msgspec.structs.replace(record, ports=forwards, facts=facts, launch=hardware)
            # Before the start, so that whoever finds the process also finds how it is reached.
            records.write(layout, record)
            _remove_sockets(layout)
            argv = command.build(
                emulator, plan.key.name, layout, record, hardware, forwards, paused=paused, incoming=incoming
            )
            ended = await tools.run(*argv)
            if ended.status == 0:
                return await _connected(links, plan, layout), record
            said = last_words(ended.errors, layout)
            collision = _TAKEN.search("\n".join(said))
            if collision is None:
                raise died(said)
            refused |= {_collided(plan, forwards, collision)}
        raise ProviderError("Every port that seemed free was taken before QEMU could listen on it.")
    finally:
        claims.release(plan.id)


def _collided(plan: MachinePlan, forwards: Sequence[Forward], collision: re.Match[str]) -> int:
    """The port that was taken between choice and start; raises where no other may be chosen."""
    protocol, port = collision[1], int(collision[2])
    for wanted in plan.ports:
        if (wanted.protocol, wanted.host) == (protocol, port) and not wanted.auto_correct:
            raise ports.taken_error(wanted)
    return port


async def _connected(links: Links, plan: MachinePlan, layout: Layout) -> Link:
    pid = processes.find(layout.pid_file)
    if pid is None:
        raise died(last_words("", layout))
    return await links.open(plan, pid)


def _remove_sockets(layout: Layout) -> None:
    for socket in layout.sockets:
        with contextlib.suppress(FileNotFoundError):
            socket.unlink()

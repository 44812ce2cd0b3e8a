"""QEMU's command line for a machine: pure, nothing is looked at or touched here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.model.machine import Forward
from core.providers.acceleration import Acceleration
from core.providers.ports import LOOPBACK
from core.providers.qemu.layout import Layout
from core.providers.qemu.record import DiskFile, Launch, Nic, Record

MACHINES = {"x86_64": "q35", "aarch64": "virt"}
"""The machine type where none is named."""

MIB = 1024 * 1024

_CARD = re.compile(r"vga|gpu|qxl|cirrus|ramfb|bochs-display", re.IGNORECASE)
"""What an argument that brings a graphics card looks like."""


def build(
    emulator: str,
    name: str,
    layout: Layout,
    record: Record,
    launch: Launch,
    forwards: Sequence[Forward],
    *,
    paused: bool = False,
    incoming: bool = False,
) -> list[str]:
    """The whole command line.

    ``paused``: the guest does not run before it is told to; ``incoming``: its memory comes over the monitor.
    """
    argv = [emulator, "-name", _quoted(f"boxwright {name}")]
    argv += ["-nodefaults", "-no-user-config", "-daemonize", "-pidfile", str(layout.pid_file)]
    # "strace" says nothing in a system emulator; that a log is open keeps stderr alive in the daemon.
    argv += ["-D", str(layout.log), "-d", "strace"]
    argv += _board(launch, record, layout)
    argv += _control(layout)
    argv += _screen(launch, layout)
    for position, node in enumerate(launch.disks):
        argv += _disk(layout, record.disk(node), position)
    argv += _network(record.id, forwards)
    for number, nic in enumerate(launch.networks, 1):
        argv += _wire(number, nic)
    argv += ["-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0"]
    if paused or incoming:
        argv.append("-S")
    if incoming:
        argv += ["-incoming", "defer"]
    return [*argv, *launch.args, *_plain_card(launch)]


def _board(launch: Launch, record: Record, layout: Layout) -> list[str]:
    argument = Acceleration(launch.accelerator, "").argument
    machine = launch.machine
    drives: list[str] = []
    if launch.firmware:
        machine += ",pflash0=firmware"
        code = {"driver": "file", "filename": launch.firmware}
        drives += _blockdev({"driver": "raw", "node-name": "firmware", "read-only": True, "file": code})
        if record.nvram:
            machine += f",pflash1={record.nvram.node}"
            drives += _image(layout, record.nvram)
    return [
        *("-machine", machine, "-accel", argument, "-cpu", launch.cpu),
        *("-smp", str(launch.cpus), "-m", f"{max(1, launch.memory // MIB)}M"),
        *("-boot", "menu=off,strict=on", *drives),
    ]


def _control(layout: Layout) -> list[str]:
    monitor = f"socket,id=qmp,path={_quoted(str(layout.monitor_socket))},server=on,wait=off"
    serial = (
        f"socket,id=serial0,path={_quoted(str(layout.serial_socket))},server=on,wait=off"
        f",logfile={_quoted(str(layout.serial_log))},logappend=on"
    )
    return [
        *("-chardev", monitor, "-mon", "chardev=qmp,mode=control"),
        *("-chardev", serial, "-serial", "chardev:serial0"),
    ]


def _screen(launch: Launch, layout: Layout) -> list[str]:
    argv = ["-display", "none"]
    if launch.shown:
        argv += ["-vnc", f"unix:{_quoted(str(layout.vnc_socket))}"]
    if launch.display == "vnc":
        vga = "virtio-gpu-pci" if launch.architecture == "aarch64" else "VGA"
        argv += ["-device", vga, "-device", "qemu-xhci", "-device", "usb-kbd", "-device", "usb-tablet"]
    return argv


def _plain_card(launch: Launch) -> list[str]:
    """Last of all, so that no other device moves for its sake: guests name network cards by their places.

    Systems on aarch64 start on the serial port. A card that the machine's own arguments name is the only one.
    """
    wanted = launch.display == "screen" and launch.architecture == "x86_64"
    return ["-device", "VGA"] if wanted and not any(map(_CARD.search, launch.args)) else []


def _disk(layout: Layout, disk: DiskFile, position: int) -> list[str]:
    device = f"virtio-blk-pci,drive={disk.node},id={disk.node}-device,bootindex={position}"
    if disk.extra:
        # The guest finds it as /dev/disk/by-id/virtio-<name>; QEMU takes 20 characters.
        device += f",serial={_quoted(disk.extra[:20])}"
    return [*_image(layout, disk), "-device", device]


def _image(layout: Layout, disk: DiskFile) -> list[str]:
    return _blockdev(image(layout.home / disk.file, disk.node))


def image(path: Path, node: str) -> dict[str, Any]:
    """An image as QEMU is told of it."""
    file = {"driver": "file", "filename": str(path), "discard": "unmap"}
    return {"driver": "qcow2", "node-name": node, "discard": "unmap", "file": file}


def _network(machine_id: str, forwards: Sequence[Forward]) -> list[str]:
    rules = "".join(
        f",hostfwd={forward.protocol}:{LOOPBACK}:{forward.host}-:{forward.guest}" for forward in forwards
    )
    digits = machine_id[:6].rjust(6, "0")
    mac = ":".join(("52", "54", "00", digits[:2], digits[2:4], digits[4:6]))
    return [
        *("-netdev", f"user,id=net0{rules}"),
        # No boot from the network, so no ROM for it.
        *("-device", f"virtio-net-pci,netdev=net0,mac={mac},romfile="),
    ]


def _wire(number: int, nic: Nic) -> list[str]:
    return [
        *("-netdev", f"socket,id=net{number},mcast={nic.group},localaddr={LOOPBACK}"),
        *("-device", f"virtio-net-pci,netdev=net{number},mac={nic.mac},romfile="),
    ]


def _blockdev(options: dict[str, Any]) -> list[str]:
    return ["-blockdev", json.dumps(options)]


def _quoted(text: str) -> str:
    """For QEMU's ``key=value,key=value``: a comma inside of a value is doubled."""
    return text.replace(",", ",,")

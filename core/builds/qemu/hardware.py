"""QEMU's command line for the machine of a build: pure, nothing is looked at or touched here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """What is put into the machine besides its disks; "" for nothing."""

    iso: str = ""
    floppy: str = ""
    cd: str = ""


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """A machine. States that were kept fit only the very hardware that they were kept from."""

    emulator: str
    name: str
    machine: str
    accelerator: str
    cpu: str
    cpus: int
    memory: int
    """MiB."""
    disk_interface: str = "virtio"
    disk_options: str = ""
    net_device: str = "virtio-net"
    vga: str = "std"
    boot: str = "c"
    firmware: str = ""
    nvram: str = ""
    media: Media = Media()
    overrides: dict[str, list[str]] = {}
    """Options that take the place of ours."""


class Sockets(msgspec.Struct, frozen=True, kw_only=True):
    """What a running machine is reached by."""

    monitor: Path
    screen: Path
    """VNC."""
    ssh_port: int = 0
    """Of the host; 0: the guest is not forwarded."""
    guest_port: int = 22


def command_line(
    hardware: Hardware, disks: list[Path], ram: Path, sockets: Sockets, log: Path, *, incoming: bool = False
) -> list[str]:
    """The whole command line. ``disks`` are qcow2 images, the first one called ``disk0`` by QEMU, and so on;
    ``ram`` is the file that holds the guest's memory."""
    options: dict[str, list[str]] = {
        "-name": [hardware.name],
        "-machine": [f"type={hardware.machine}"],
        "-accel": [hardware.accelerator],
        "-cpu": [hardware.cpu],
        "-smp": [f"cpus={hardware.cpus},sockets=1"],
        "-m": [f"{hardware.memory}M"],
        "-drive": [
            *(_drive(hardware, path, number) for number, path in enumerate(disks)),
            *_firmware(hardware),
            *_cd(hardware.media, number=len(disks)),
        ],
        "-netdev": [_net(sockets)],
        "-device": [
            *(_disk_device(hardware, number) for number in range(len(disks))),
            f"{hardware.net_device},netdev=user.0",
        ],
        "-boot": [hardware.boot],
        "-vga": [hardware.vga],
    }
    if hardware.media.floppy:
        options["-drive"].append(f"file={_quoted(hardware.media.floppy)},if=floppy,index=0,format=raw")
    options |= hardware.overrides
    if any("accel=" in value for value in hardware.overrides.get("-machine", ())):
        # QEMU takes one of the two only.
        del options["-accel"]
    argv = [hardware.emulator]
    for option, values in options.items():
        for value in values or [""]:
            argv += [option, value] if value else [option]
    argv += [
        "-object",
        f"memory-backend-file,id=ram,size={hardware.memory}M,mem-path={_quoted(str(ram))},share=on",
    ]
    argv += ["-machine", "memory-backend=ram"]
    argv += ["-display", "none", "-vnc", f"unix:{_quoted(str(sockets.screen))}"]
    argv += ["-qmp", f"unix:{_quoted(str(sockets.monitor))},server=on,wait=off"]
    argv += ["-serial", f"file:{_quoted(str(log))}", "-no-user-config"]
    argv += ["-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0"]
    return [*argv, "-incoming", "defer"] if incoming else argv


def node(number: int, generation: int) -> str:
    """What QEMU calls a disk: a new layer over it is a new generation."""
    return f"disk{number}-{generation}"


def _drive(hardware: Hardware, path: Path, number: int) -> str:
    options = f",{hardware.disk_options}" if hardware.disk_options else ""
    names = f"if=none,id=drive{number},node-name={node(number, 0)}"
    return f"file={_quoted(str(path))},{names},format=qcow2{options}"


_DEVICES = {
    "virtio": "virtio-blk-pci,drive=drive{0}",
    "ide": "ide-hd,drive=drive{0}",
    "sata": "ide-hd,drive=drive{0}",
    "scsi": "scsi-hd,drive=drive{0}",
    "virtio-scsi": "scsi-hd,bus=scsi0.0,drive=drive{0}",
}


def _disk_device(hardware: Hardware, number: int) -> str:
    return _DEVICES[hardware.disk_interface].format(number)


def _firmware(hardware: Hardware) -> list[str]:
    if not hardware.firmware:
        return []
    return [
        f"file={_quoted(hardware.firmware)},if=pflash,unit=0,format=raw,readonly=on",
        f"file={_quoted(hardware.nvram)},if=pflash,unit=1,format=qcow2,node-name=nvram",
    ]


def _cd(media: Media, *, number: int) -> list[str]:
    found = [path for path in (media.iso, media.cd) if path]
    return [f"file={_quoted(path)},media=cdrom,format=raw,readonly=on" for path in found]


def _net(sockets: Sockets) -> str:
    forward = f",hostfwd=tcp:127.0.0.1:{sockets.ssh_port}-:{sockets.guest_port}" if sockets.ssh_port else ""
    return f"user,id=user.0{forward}"


def _quoted(text: str) -> str:
    """For QEMU's ``key=value,key=value``: a comma inside of a value is doubled."""
    return text.replace(",", ",,")


def as_facts(hardware: Hardware) -> dict[str, Any]:
    """Without what differs from run to run."""
    data: dict[str, Any] = msgspec.to_builtins(hardware)
    return {key: value for key, value in data.items() if key not in ("media", "nvram", "name")}

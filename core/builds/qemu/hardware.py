"""QEMU's command line for the machine of a build: pure, nothing is looked at or touched here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from core.builds.qemu.arguments import BESIDE, PORT, networked


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
    cd_interface: str = ""
    """As ``disk_interface``; "" for the machine's own."""
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
            *_cd(hardware),
        ],
        "-netdev": [_net(sockets)],
        "-device": [
            *_controllers(hardware),
            *(_disk_device(hardware, number) for number in range(len(disks))),
            *_cd_devices(hardware, disks=len(disks)),
            *_network(hardware),
        ],
        "-boot": [hardware.boot],
        "-vga": [hardware.vga],
    }
    if hardware.media.floppy:
        options["-drive"].append(f"file={_quoted(hardware.media.floppy)},if=floppy,index=0,format=raw")
    for option, values in hardware.overrides.items():
        options[option] = [*options[option], *values] if option in BESIDE else values
    if any("accel=" in value for value in hardware.overrides.get("-machine", ())):
        # QEMU takes one of the two only.
        del options["-accel"]
    argv = [hardware.emulator]
    for option, values in options.items():
        for value in values or ([] if option in BESIDE else [""]):
            argv += [option, value.replace(PORT, str(sockets.ssh_port))] if value else [option]
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


def _network(hardware: Hardware) -> list[str]:
    """The network card, where the template does not name it itself."""
    card = hardware.net_device
    return [] if networked(hardware.overrides.get("-device", ()), card) else [f"{card},netdev=user.0"]


def node(number: int, generation: int) -> str:
    """What QEMU calls a disk: a new layer over it is a new generation."""
    return f"disk{number}-{generation}"


def _drive(hardware: Hardware, path: Path, number: int) -> str:
    options = f",{hardware.disk_options}" if hardware.disk_options else ""
    names = f"if=none,id=drive{number},node-name={node(number, 0)}"
    return f"file={_quoted(str(path))},{names},format=qcow2{options}"


_DEVICES = {
    "virtio": "virtio-blk-pci",
    "ide": "ide-{kind}",
    "sata": "ide-{kind},bus=sata.{number}",
    "scsi": "scsi-{kind},bus=scsi.0",
    "virtio-scsi": "scsi-{kind},bus=virtio-scsi.0",
}
INTERFACES = tuple(_DEVICES)
"""Ways in which a disk or a CD drive can be joined to a machine."""

_CONTROLLERS = {
    "sata": "ahci,id=sata",
    "scsi": "lsi53c895a,id=scsi",
    "virtio-scsi": "virtio-scsi-pci,id=virtio-scsi",
}
"""Those that no machine has by itself."""


def _controllers(hardware: Hardware) -> list[str]:
    wanted = [hardware.disk_interface, *([_cd_interface(hardware)] if _cds(hardware) else [])]
    return [_CONTROLLERS[name] for name in dict.fromkeys(wanted) if name in _CONTROLLERS]


def _device(hardware: Hardware, interface: str, kind: str, number: int, drive: str) -> str:
    """``kind``: "hd" or "cd"; ``number``: its place among those that are joined in the same way."""
    device = _DEVICES[interface].format(kind=kind, number=number)
    if interface == "ide":
        # Two to each bus, but for the newer machine, whose buses take one.
        newer = hardware.machine.startswith("q35") or "-q35" in hardware.machine
        device += f",bus=ide.{number}" if newer else f",bus=ide.{number // 2},unit={number % 2}"
    return f"{device},drive={drive}"


def _disk_device(hardware: Hardware, number: int) -> str:
    return _device(hardware, hardware.disk_interface, "hd", number, f"drive{number}")


def _cds(hardware: Hardware) -> list[str]:
    return [path for path in (hardware.media.iso, hardware.media.cd) if path]


def _cd_interface(hardware: Hardware) -> str:
    """Beside disks on IDE, each place has to be said."""
    return hardware.cd_interface or ("ide" if hardware.disk_interface == "ide" else "")


def _cd_devices(hardware: Hardware, *, disks: int) -> list[str]:
    interface = _cd_interface(hardware)
    if not interface:
        return []
    first = disks if interface == hardware.disk_interface else 0
    return [
        _device(hardware, interface, "cd", first + place, f"cd{place}")
        for place in range(len(_cds(hardware)))
    ]


def _firmware(hardware: Hardware) -> list[str]:
    if not hardware.firmware:
        return []
    return [
        f"file={_quoted(hardware.firmware)},if=pflash,unit=0,format=raw,readonly=on",
        f"file={_quoted(hardware.nvram)},if=pflash,unit=1,format=qcow2,node-name=nvram",
    ]


def _cd(hardware: Hardware) -> list[str]:
    form = "media=cdrom,format=raw,readonly=on"
    own = bool(_cd_interface(hardware))
    return [
        f"file={_quoted(path)},{f'if=none,id=cd{place},' if own else ''}{form}"
        for place, path in enumerate(_cds(hardware))
    ]


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

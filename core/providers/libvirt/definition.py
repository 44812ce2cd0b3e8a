"""A machine's domain as libvirt's XML: pure, nothing is looked at or touched here."""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import msgspec

from core.model.machine import MachinePlan
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.options import Options
from core.providers.libvirt.record import Record

MARK = "urn:boxwright:machine:1"
"""Namespace of the element that says whose machine a domain is."""

MACHINES = {"x86_64": "q35", "aarch64": "virt"}
"""The machine type where none is named."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_. -]")

ElementTree.register_namespace("boxwright", MARK)


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What of the virtual hardware depends on this computer."""

    kvm: bool
    owner: str = ""
    """User and group that the guest's process runs as; "" where it runs as the daemon does."""
    firmware: str = ""
    """Path of the UEFI code image; "" for the machine's own BIOS."""


def domain_name(plan: MachinePlan) -> str:
    return f"boxwright-{plan.key.name}-{plan.id}"


def build(
    name: str, plan: MachinePlan, options: Options, record: Record, layout: Layout, hardware: Hardware
) -> str:
    """The whole domain. ``name``: what it is called now, be it by us or by somebody else."""
    domain = Element("domain", type="kvm" if hardware.kvm else "qemu")
    _text(domain, "name", name)
    _text(domain, "uuid", domain_uuid(plan.id))
    _mark(domain, plan)
    _text(domain, "memory", str(max(1, plan.memory // 1024)), unit="KiB")
    _text(domain, "vcpu", str(plan.cpus))
    _system(domain, plan, options, layout, hardware)
    _cpu(domain, options, hardware)
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        _text(domain, f"on_{event}", action)
    devices = SubElement(domain, "devices")
    _disks(devices, plan, record, layout)
    _networks(devices, plan, options)
    _serial(devices, layout)
    _screen(devices, options, layout)
    SubElement(devices, "memballoon", model="virtio")
    rng = SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    if hardware.owner:
        # The guest runs as the owner of its files: nothing is chowned, and no folder has to be opened.
        label = SubElement(domain, "seclabel", type="static", model="dac", relabel="no")
        _text(label, "label", hardware.owner)
    return ElementTree.tostring(domain, encoding="unicode")


def digest(xml: str) -> str:
    return hashlib.sha256(xml.encode()).hexdigest()


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    made = SubElement(parent, tag, attributes)
    made.text = text
    return made


def _mark(domain: Element, plan: MachinePlan) -> None:
    metadata = SubElement(domain, "metadata")
    SubElement(metadata, f"{{{MARK}}}machine", id=plan.id, name=plan.key.name, project=plan.key.project)


def marked_id(xml: str) -> str:
    """The machine's id in the element that :func:`build` puts into a domain's metadata."""
    return ElementTree.fromstring(xml).get("id", "")


def _system(domain: Element, plan: MachinePlan, options: Options, layout: Layout, hardware: Hardware) -> None:
    system = SubElement(domain, "os")
    machine = options.machine or MACHINES.get(plan.architecture, "virt")
    _text(system, "type", "hvm", arch=plan.architecture, machine=machine)
    if hardware.firmware:
        _text(system, "loader", hardware.firmware, readonly="yes", type="pflash")
        _text(system, "nvram", str(layout.variables))
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    if plan.architecture == "x86_64":
        SubElement(features, "apic")


_CPU_MODES = ("host-passthrough", "host-model", "maximum")


def _cpu(domain: Element, options: Options, hardware: Hardware) -> None:
    mode = options.cpu or ("host-passthrough" if hardware.kvm else "maximum")
    if mode in _CPU_MODES:
        SubElement(domain, "cpu", mode=mode)
    else:
        _text(SubElement(domain, "cpu", mode="custom", match="exact"), "model", mode)


def _disks(devices: Element, plan: MachinePlan, record: Record, layout: Layout) -> None:
    wanted = {disk.name for disk in plan.extra_disks}
    for place, file in enumerate(record.disks):
        if file.extra and file.extra not in wanted:
            continue
        disk = SubElement(devices, "disk", type="file", device="disk")
        SubElement(disk, "driver", name="qemu", type="qcow2", discard="unmap")
        SubElement(disk, "source", file=str(layout.home / file.file))
        SubElement(disk, "target", dev=_target(place), bus="virtio")
        if file.extra:
            # The guest finds it as /dev/disk/by-id/virtio-<name>; QEMU takes 20 characters.
            _text(disk, "serial", _UNSAFE.sub("_", file.extra)[:20])
        else:
            SubElement(disk, "boot", order=str(place + 1))


def _target(place: int) -> str:
    """vda ... vdz, vdaa ..."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return f"vd{letters}"


def mac(machine_id: str, card: int) -> str:
    """The address of a network card; ``card`` 0 is the one with the forwarded ports."""
    digits = f"{(int(machine_id, 16) + card * 0x9E3779) & 0xFFFFFF:06x}"
    return ":".join(("52", "54", "00", digits[:2], digits[2:4], digits[4:]))


def _networks(devices: Element, plan: MachinePlan, options: Options) -> None:
    for card, network in enumerate(("", *options.networks)):
        interface = SubElement(devices, "interface", type="network" if network else "user")
        SubElement(interface, "mac", address=mac(plan.id, card))
        if network:
            SubElement(interface, "source", network=network)
        SubElement(interface, "model", type="virtio")
        # No boot from the network, so no ROM for it.
        SubElement(interface, "rom", enabled="no")


def _serial(devices: Element, layout: Layout) -> None:
    serial = SubElement(devices, "serial", type="pty")
    SubElement(serial, "log", file=str(layout.serial_log), append="on")
    SubElement(serial, "target", port="0")


def _screen(devices: Element, options: Options, layout: Layout) -> None:
    if options.display != "vnc":
        SubElement(devices, "controller", type="usb", model="none")
        return
    SubElement(devices, "controller", type="usb", model="qemu-xhci")
    for kind in ("keyboard", "tablet"):
        SubElement(devices, "input", type=kind, bus="usb")
    graphics = SubElement(devices, "graphics", type="vnc")
    SubElement(graphics, "listen", type="socket", socket=str(layout.vnc_socket))
    video = SubElement(devices, "video")
    SubElement(video, "model", type="vga")

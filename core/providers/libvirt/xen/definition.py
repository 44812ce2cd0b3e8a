"""A guest of Xen's as libvirt's XML: pure, nothing is looked at or touched here."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.libvirt.cards import Card, cards
from core.providers.libvirt.definition import add_ends, outlined
from core.providers.libvirt.drives import add_drives
from core.providers.libvirt.element import add, text
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options
from core.providers.libvirt.record import Record

FULL, PARAVIRTUAL = "xenfv", "xenpv"
"""Machine types: with a PC's hardware and firmware (HVM), or for kernels that know Xen (PV)."""

_LOADER = "pygrub"
"""Reads a paravirtual guest's kernel from its disk."""


def build(name: str, plan: MachinePlan, options: Options, record: Record, layout: Layout) -> str:
    """The whole domain. ``name``: what it is called now, be it by us or by somebody else."""
    domain = outlined("xen", name, plan, options)
    add(domain, "vcpu", str(options.cpus or plan.cpus), cpuset=options.cpuset)
    full = machine_type(options) == FULL
    if not (full or options.kernel):
        add(domain, "bootloader", _LOADER)
    _system(domain, plan, options, full=full)
    if full:
        features = add(domain, "features")
        for feature in ("acpi", "apic", "pae"):
            add(features, feature)
    add(domain, "clock", offset="utc")
    add_ends(domain)
    devices = add(domain, "devices")
    if options.emulator_path:
        add(devices, "emulator", options.emulator_path)
    _disks(devices, plan, options, record, layout)
    for card in joined(plan, options):
        interface = add(devices, "interface", type=card.kind)
        add(interface, "mac", address=card.mac)
        add(interface, "source", **{card.kind: card.source})
    if full:
        add(add(devices, "serial", type="pty"), "target", port="0")
    else:
        add(add(devices, "console", type="pty"), "target", type="xen", port="0")
    return text(domain)


def machine_type(options: Options) -> str:
    return options.machine or options.machine_type or FULL


def joined(plan: MachinePlan, options: Options) -> tuple[Card, ...]:
    """The cards, all of them in networks of libvirt's or at bridges: Xen has no user network. Raises
    ProviderError where no network gives the guest an address, by which SSH and the ports reach it."""
    found = cards(plan, options)[1:]
    if not any(card.kind == "network" for card in found):
        raise ProviderError(
            f"{plan.key.name} is in no network, so nothing reaches it.",
            why="Guests of Xen's are reached by the address that a network of libvirt's gives to them.",
            remedy='networks = ["default"] in the machine\'s libvirt table',
        )
    return found


def _system(domain: Element, plan: MachinePlan, options: Options, *, full: bool) -> None:
    system = add(domain, "os", firmware="efi" if full and plan.firmware == "uefi" else "")
    add(system, "type", "hvm" if full else "xen", arch=plan.architecture, machine=machine_type(options))
    if options.loader:
        add(system, "loader", options.loader, type="rom")
    for tag, said in (("kernel", options.kernel), ("initrd", options.initrd), ("cmdline", options.cmd_line)):
        if said:
            add(system, tag, said)
    if full:
        add(system, "boot", dev="hd")


def _disks(devices: Element, plan: MachinePlan, options: Options, record: Record, layout: Layout) -> None:
    """As QEMU's, which serves them here, too, at Xen's own bus; what is booted says the system."""
    add_drives(devices, plan, msgspec.structs.replace(options, disk_bus="xen"), record, layout)
    for disk in devices.iterfind("disk"):
        order = disk.find("boot")
        if order is not None:
            disk.remove(order)

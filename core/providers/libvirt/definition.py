"""A machine's domain as libvirt's XML: pure, nothing is looked at or touched here."""

from __future__ import annotations

import hashlib
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import msgspec

from core.model.machine import MachinePlan
from core.providers.libvirt import checks
from core.providers.libvirt.cards import add_cards
from core.providers.libvirt.devices import add_devices
from core.providers.libvirt.drives import add_drives, has_plain_pci
from core.providers.libvirt.element import add, attributes_of, text
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.options import Options, several
from core.providers.libvirt.processor import add_memory, add_model, add_processors
from core.providers.libvirt.record import Record

MARK = "urn:boxwright:machine:1"
"""Namespace of the element that says whose machine a domain is."""

_QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"

MACHINES = {"x86_64": "q35", "aarch64": "virt"}
"""The machine type where none is named."""

ElementTree.register_namespace("boxwright", MARK)
ElementTree.register_namespace("qemu", _QEMU)


class Wire(msgspec.Struct, frozen=True):
    """A card in a network that QEMU makes by itself."""

    mac: str
    group: str
    """See :func:`core.providers.wire.group`."""


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What of the virtual hardware depends on this computer."""

    kvm: bool
    owner: str = ""
    """User and group that the guest's process runs as; "" where it runs as the daemon does."""
    firmware: str = ""
    """Path of the UEFI code image, ``auto`` for libvirt's choice; "" for the machine's own BIOS."""
    far: bool = False
    """The hypervisor is on another computer."""
    wires: tuple[Wire, ...] = ()
    """Instead of the plan's networks."""


def domain_name(plan: MachinePlan, options: Options) -> str:
    return f"{options.default_prefix}{plan.key.name}-{plan.id}"


def build(
    name: str, plan: MachinePlan, options: Options, record: Record, layout: Layout, hardware: Hardware
) -> str:
    """The whole domain. ``name``: what it is called now, be it by us or by somebody else."""
    if hardware.wires:
        plan = msgspec.structs.replace(plan, networks=())
    domain = outlined("kvm" if hardware.kvm else "qemu", name, plan, options)
    add_processors(domain, plan, options)
    _system(domain, plan, options, layout, hardware)
    _features(domain, plan, options)
    add_model(domain, options, kvm=hardware.kvm)
    _clock(domain, options)
    add_ends(domain)
    devices = add(domain, "devices")
    if options.emulator_path:
        add(devices, "emulator", options.emulator_path)
    add_drives(devices, plan, options, record, layout)
    add_cards(devices, plan, options)
    add_devices(devices, options, layout, far=hardware.far)
    if hardware.owner:
        # The guest runs as the owner of its files: nothing is chowned, and no folder has to be opened.
        label = add(domain, "seclabel", type="static", model="dac", relabel="no")
        add(label, "label", hardware.owner)
    _command_line(domain, options, _wired(plan, options, hardware.wires))
    return text(domain)


def outlined(kind: str, name: str, plan: MachinePlan, options: Options) -> Element:
    """A domain that so far says who it is, whose, and how much memory it has."""
    domain = Element("domain", type=kind)
    add(domain, "name", name)
    add(domain, "uuid", domain_uuid(plan.id))
    for tag, said in (("title", options.title), ("description", options.description)):
        if said:
            add(domain, tag, said)
    _mark(domain, plan)
    add_memory(domain, plan, options)
    return domain


def add_ends(domain: Element) -> None:
    """What becomes of the domain when its guest ends."""
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        add(domain, f"on_{event}", action)


def digest(xml: str) -> str:
    return hashlib.sha256(xml.encode()).hexdigest()


def _mark(domain: Element, plan: MachinePlan) -> None:
    """Say whose machine the domain is."""
    add(
        add(domain, "metadata"),
        f"{{{MARK}}}machine",
        id=plan.id,
        name=plan.key.name,
        project=plan.key.project,
    )


def marked_id(xml: str) -> str:
    """The machine's id in the element that :func:`build` puts into a domain's metadata."""
    return ElementTree.fromstring(xml).get("id", "")


def machine_type(plan: MachinePlan, options: Options) -> str:
    return options.machine or options.machine_type or MACHINES.get(plan.architecture, "virt")


def _system(domain: Element, plan: MachinePlan, options: Options, layout: Layout, hardware: Hardware) -> None:
    system = add(domain, "os")
    add(system, "type", "hvm", arch=plan.architecture, machine=machine_type(plan, options))
    if options.loader and not options.nvram:
        add(system, "loader", options.loader, readonly="yes", type="rom")
    elif hardware.firmware == "auto" and not options.loader:
        system.set("firmware", "efi")
    elif hardware.firmware or options.loader:
        add(system, "loader", options.loader or hardware.firmware, readonly="yes", type="pflash")
        if not hardware.far:
            add(system, "nvram", str(layout.variables))
    for tag, said in (
        ("kernel", options.kernel),
        ("initrd", options.initrd),
        ("cmdline", options.cmd_line),
        ("dtb", options.dtb),
    ):
        if said:
            add(system, tag, said)
    if checks.boot_order(options):
        add(system, "bootmenu", enable="yes")
    if options.sysinfo:
        add(system, "smbios", mode="sysinfo")
        _sysinfo(domain, options)


_BLOCKS = {"base board": "baseBoard", "oem strings": "oemStrings"}


def _sysinfo(domain: Element, options: Options) -> None:
    information = add(domain, "sysinfo", type="smbios")
    for block, values in options.sysinfo.items():
        inside = add(information, _BLOCKS.get(block, block))
        if isinstance(values, dict):
            for name, value in values.items():
                add(inside, "entry", value, name=name)
        else:
            for value in values:
                add(inside, "entry", value)


def _features(domain: Element, plan: MachinePlan, options: Options) -> None:
    features = add(domain, "features")
    usual = ("acpi", "apic") if plan.architecture == "x86_64" else ("acpi",)
    for name in usual if options.features is None else options.features:
        add(features, name)
    if options.kvm_hidden:
        add(add(features, "kvm"), "hidden", state="on")
    hyperv = (*options.features_hyperv, *several(options.hyperv_feature))
    if hyperv:
        inside = add(features, "hyperv")
        for feature in hyperv:
            add(inside, feature.name, state=feature.state, retries=feature.retries)


def _clock(domain: Element, options: Options) -> None:
    timers = several(options.clock_timer)
    if not (options.clock_offset or timers):
        return
    clock = add(domain, "clock", offset=options.clock_offset or "utc")
    for timer in timers:
        add(clock, "timer", **attributes_of(timer))


_FIRST_SLOT = 0x10
"""Where such cards are at the guest's first bus: libvirt does not know them, and begins with low numbers."""


def _wired(plan: MachinePlan, options: Options, wires: tuple[Wire, ...]) -> list[str]:
    """For QEMU's command line: libvirt's networks by multicast would not stay on the loopback."""
    bus = "pci.0" if has_plain_pci(machine_type(plan, options)) else "pcie.0"
    words: list[str] = []
    for number, wire in enumerate(wires):
        place = f"bus={bus},addr={_FIRST_SLOT + number:#x}"
        words += ["-netdev", f"socket,id=wire{number},mcast={wire.group},localaddr=127.0.0.1"]
        words += ["-device", f"virtio-net-pci,netdev=wire{number},mac={wire.mac},romfile=,{place}"]
    return words


def _command_line(domain: Element, options: Options, more: list[str]) -> None:
    arguments = (*(argument.value for argument in several(options.qemuargs)), *more)
    if not (arguments or options.qemuenv):
        return
    line = add(domain, f"{{{_QEMU}}}commandline")
    for argument in arguments:
        add(line, f"{{{_QEMU}}}arg", value=argument)
    for name, value in options.qemuenv.items():
        add(line, f"{{{_QEMU}}}env", name=name, value=value)

"""What one libvirt can do, from its own description."""

from __future__ import annotations

import os
from typing import Any
from xml.etree import ElementTree

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers import acceleration
from core.providers.acceleration import Acceleration
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.library import bindings


class Host(msgspec.Struct, frozen=True, kw_only=True):
    guests: dict[str, tuple[str, ...]]
    """Domain types (``kvm``, ``qemu``) by the guest's architecture."""
    chowns: bool
    """The daemon is root's: it runs guests as another user, unless it is told as which."""
    virtualization: bool = True
    """Its processor says that it can run guests by itself."""


async def host_of(connection: Connection) -> Host:
    return await connection.remembered("host", _look)


def _look(handle: Any) -> Host:
    text = handle.getCapabilities()
    return msgspec.structs.replace(read_capabilities(text), virtualization=_can_virtualize(handle, text))


def _can_virtualize(handle: Any, text: str) -> bool:
    """A /dev/kvm, by which libvirt goes, proves little on x86: in some virtual machines guests hang."""
    libvirt = bindings()
    processor = ElementTree.fromstring(text).find("host/cpu")
    if processor is None or processor.findtext("arch") != "x86_64":
        return True
    own = ElementTree.tostring(processor, encoding="unicode")
    try:
        expanded = handle.baselineCPU([own], libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES)
    except libvirt.libvirtError:
        return True
    names = {feature.get("name") for feature in ElementTree.fromstring(expanded).iterfind("feature")}
    return bool({"vmx", "svm"} & names)


def read_capabilities(text: str) -> Host:
    """From libvirt's XML."""
    tree = ElementTree.fromstring(text)
    guests: dict[str, tuple[str, ...]] = {}
    for arch in tree.iterfind("guest/arch"):
        kinds = tuple(domain.get("type", "") for domain in arch.iterfind("domain"))
        name = arch.get("name", "")
        guests[name] = (*guests.get(name, ()), *kinds)
    models = {model.text for model in tree.iterfind("host/secmodel/model")}
    return Host(guests=guests, chowns="dac" in models)


def choose(wanted: str, plan: MachinePlan, host: Host, *, far: bool) -> Acceleration:
    """``kvm`` or ``tcg``, and why; raises ProviderError for a named one that cannot be had."""
    if far:
        return _choose_far(wanted, host.virtualization and "kvm" in host.guests.get(plan.architecture, ()))
    chosen = acceleration.choose(wanted, plan.architecture, acceleration.this_host())
    if chosen.name == "kvm" and wanted == "auto" and "kvm" not in host.guests.get(plan.architecture, ()):
        return Acceleration("tcg", "emulated: this libvirt does not offer KVM")
    return chosen


def _choose_far(wanted: str, offered: bool) -> Acceleration:
    if wanted == "kvm" and not offered:
        raise ProviderError(
            "The accelerator kvm cannot be used: that computer cannot run guests by itself.",
            remedy='accelerator = "auto"',
        )
    if wanted != "auto":
        return Acceleration(wanted, "as the project says")
    if offered:
        return Acceleration("kvm", "libvirt on that computer offers it")
    return Acceleration("tcg", "emulated: that computer cannot run guests by itself")


def owner() -> str:
    """User and group that own the machines' files, as libvirt writes them."""
    return f"+{os.getuid()}:+{os.getgid()}"

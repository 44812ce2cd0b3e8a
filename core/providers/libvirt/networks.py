"""Networks that machines share: made for the first, removed with the last. Calls that block.

A network is ours when its metadata says so; those of others are used as they are, and never changed.
"""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.libvirt import address
from core.providers.libvirt.element import add, text
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import Options

MARK = "urn:boxwright:network:1"
"""Namespace of the element that says that a network is ours."""

_NOT_ALLOWED = ("Operation not permitted", "ermission denied", "not supported")

_ONE_AT_A_TIME = threading.Lock()
"""Machines that start and go together find, make and remove the same networks."""

ElementTree.register_namespace("boxwright-network", MARK)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A network that a machine is to be in."""

    name: str
    label: str
    """As the project calls it, for errors."""
    subnet: str
    """In CIDR form; the first address is the host's."""
    mode: str = "none"
    """``none`` (isolated), ``nat``, ``route``, ``open``, or ``veryisolated`` (without the host)."""
    bridge: str = ""
    domain: str = ""
    mtu: int = 0
    ipv6: bool = False
    autostart: bool = False
    keep: bool = False
    """It stays when its last machine goes."""
    spanning_tree: bool = False
    """Its bridge looks for loops first, which takes seconds after each start."""
    mac: str = ""
    """Of the machine's card, whose address is reserved."""
    address: str = ""
    """The machine's; "" for any."""


def by_wire(uri: str) -> bool:
    """The project's networks are wires of QEMU's own: a user's libvirt on this computer makes no bridges."""
    return address.is_session(uri) and address.far_host(uri) is None


def wanted(plan: MachinePlan, options: Options, uri: str) -> tuple[Wanted, ...]:
    """Those that are made where they are not there: the project's, and the one for management."""
    found = [
        Wanted(
            name=network.name,
            label=network.label,
            subnet=network.subnet,
            mode=options.forward_mode,
            mac=network.mac,
            address=network.address,
        )
        for network in (() if by_wire(uri) else plan.networks)
    ]
    if options.management_network:
        found.append(
            Wanted(
                name=options.management_network,
                label=options.management_network,
                subnet=options.management_network_address or "192.168.121.0/24",
                mode=options.management_network_mode,
                bridge=options.management_network_device,
                domain=options.management_network_domain,
                mtu=options.management_network_mtu,
                ipv6=options.management_network_guest_ipv6 in (True, "yes"),
                autostart=options.management_network_autostart,
                keep=options.management_network_keep,
                spanning_tree=True,
            )
        )
    return tuple(found)


def have(handle: Any, networks: Iterable[Wanted]) -> None:
    """Each is there and active; raises ProviderError where that cannot be."""
    for network in networks:
        try:
            with _ONE_AT_A_TIME:
                _have(handle, network)
        except bindings().libvirtError as error:
            raise _trouble(network, error) from error


def _have(handle: Any, network: Wanted) -> None:
    libvirt = bindings()
    found = _named(handle, network.name)
    if found is None:
        try:
            found = handle.networkDefineXML(definition(network))
        except libvirt.libvirtError:
            # Another program, or another engine, may have been quicker.
            found = _named(handle, network.name)
            if found is None:
                raise
    if not found.isActive():
        try:
            found.create()
        except libvirt.libvirtError:
            # Another machine's start may have been quicker.
            if not found.isActive():
                if _is_ours(found):
                    found.undefine()
                raise
        if network.autostart:
            found.setAutostart(True)
    if network.address and _is_ours(found):
        _reserve(found, network)


def _named(handle: Any, name: str) -> Any:
    """The network of that name; None where there is none."""
    libvirt = bindings()
    try:
        return handle.networkLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_NETWORK:
            raise
        return None


def definition(network: Wanted) -> str:
    """libvirt's XML."""
    element = Element("network")
    if network.ipv6:
        element.set("ipv6", "yes")
    add(element, "name", network.name)
    add(
        add(element, "metadata"),
        f"{{{MARK}}}network",
        label=network.label,
        keep="yes" if network.keep else "",
    )
    if network.mode not in ("none", "veryisolated"):
        add(element, "forward", mode=network.mode)
    add(element, "bridge", name=network.bridge, stp="on" if network.spanning_tree else "off", delay="0")
    if network.mtu:
        add(element, "mtu", size=network.mtu)
    if network.domain:
        add(element, "domain", name=network.domain, localOnly="yes")
    if network.mode != "veryisolated":
        subnet = ipaddress.IPv4Network(network.subnet, strict=False)
        host, first, last = subnet[1], subnet[2], subnet[-2]
        ip = add(element, "ip", address=host, netmask=subnet.netmask)
        add(add(ip, "dhcp"), "range", start=first, end=last)
    return text(element)


def _reserve(found: Any, network: Wanted) -> None:
    """DHCP gives that address to that card, and to no other."""
    libvirt = bindings()
    tree = ElementTree.fromstring(found.XMLDesc(0))
    hosts = {host.get("mac", "").lower(): host for host in tree.iterfind("ip/dhcp/host")}
    known = hosts.get(network.mac)
    if known is not None and known.get("ip") == network.address:
        return
    changes = [(libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE, known)] if known is not None else []
    entry = Element("host", mac=network.mac, ip=network.address)
    flags = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE | libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
    section = libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST
    for command, element in (*changes, (libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, entry)):
        found.update(command, section, -1, text(element), flags)


def release(handle: Any, macs: Iterable[str], names: Iterable[str]) -> None:
    """Cards that are gone keep no addresses; networks of ours that no domain is in any more are removed."""
    with _ONE_AT_A_TIME:
        for name in names:
            found = _named(handle, name)
            if found is None or not _is_ours(found):
                continue
            if name in _in_use(handle) or _is_kept(found):
                _unreserve(found, set(macs))
                continue
            if found.isActive():
                found.destroy()
            found.undefine()


def _unreserve(found: Any, macs: set[str]) -> None:
    libvirt = bindings()
    flags = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
    if found.isActive():
        flags |= libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
    for host in ElementTree.fromstring(found.XMLDesc(0)).iterfind("ip/dhcp/host"):
        if host.get("mac", "").lower() in macs:
            command, section = (
                libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE,
                libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST,
            )
            found.update(command, section, -1, text(host), flags)


def _mark(found: Any) -> Element | None:
    return ElementTree.fromstring(found.XMLDesc(0)).find(f"metadata/{{{MARK}}}network")


def _is_ours(found: Any) -> bool:
    return _mark(found) is not None


def _is_kept(found: Any) -> bool:
    mark = _mark(found)
    return mark is not None and mark.get("keep") == "yes"


def _in_use(handle: Any) -> set[str]:
    """Networks that domains have cards in, running or not."""
    found: set[str] = set()
    for domain in handle.listAllDomains():
        with contextlib.suppress(bindings().libvirtError):
            tree = ElementTree.fromstring(domain.XMLDesc(0))
            found |= {source.get("network", "") for source in tree.iterfind("devices/interface/source")}
    return found


def _trouble(network: Wanted, error: Any) -> ProviderError:
    why = str(error.get_error_message() or error)
    if "already in use by interface" in why or "in use" in why:
        remedy = "choose another range for that network in the project file, or remove the one that has it"
    elif "dnsmasq" in why:
        remedy = "install dnsmasq (Debian: sudo apt-get install -y dnsmasq-base), then try again"
    elif any(sign in why for sign in _NOT_ALLOWED):
        remedy = "uri = \"qemu:///system\" in the machine's libvirt table: only root's libvirt makes networks"
    else:
        remedy = "boxwright doctor, to see how libvirt is"
    return ProviderError(f"The network {network.label!r} cannot be had.", why=why, remedy=remedy)

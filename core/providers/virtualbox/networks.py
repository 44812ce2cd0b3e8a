"""The networks of a machine, and which addresses VirtualBox allows the host to have in them."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.virtualbox.context import Context
from core.providers.virtualbox.options import Options
from core.providers.virtualbox.worker import versions

PERMITTED = Path("/etc/vbox/networks.conf")
"""Ranges for host-only networks, from 6.1.28 on; see :func:`read_permitted`."""

DEFAULT = "192.168.56.0/21"


def read_permitted(text: str | None) -> tuple[IPv4Network | IPv6Network, ...]:
    """Ranges of the file's text, None where there is no file; one that is there replaces the default.

    A line of ranges begins with ``*``; what cannot be understood allows nothing.
    """
    if text is None:
        return (IPv4Network(DEFAULT), IPv6Network("fe80::/10"))
    found: list[IPv4Network | IPv6Network] = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] != ["*"]:
            continue
        for word in words[1:]:
            with contextlib.suppress(ValueError):
                found.append(ipaddress.ip_network(word, strict=False))
    return tuple(found)


def check_permitted(subnet: IPv4Network, version: str, file: Path = PERMITTED) -> None:
    """Raise ProviderError, with the command that allows it, where VirtualBox would refuse the subnet."""
    if not versions.permits_ranges(versions.read(version)):
        return
    try:
        text: str | None = file.read_text(errors="replace")
    except OSError:
        text = None
    permitted = read_permitted(text)
    if any(isinstance(one, IPv4Network) and subnet.subnet_of(one) for one in permitted):
        return
    shown = ", ".join(map(str, permitted)) or "none"
    ranges = str(subnet) if text is not None else f"{DEFAULT} {subnet}"
    raise ProviderError(
        f"VirtualBox does not allow a host-only network with the addresses {subnet}.",
        why=f"Allowed are {shown} ({file}{'' if text is not None else ' is not there: its default'}).",
        remedy=f"sudo mkdir -p {file.parent} && echo '* {ranges}' | sudo tee -a {file}",
    )


async def cards(context: Context, plan: MachinePlan, options: Options) -> list[dict[str, str]]:
    """For each network besides the way out what its card is connected to; host-only ones are made."""
    wanted: list[dict[str, str]] = []
    for network in plan.networks:
        mac = network.mac.replace(":", "").upper()
        if options.project_networks == "hostonly":
            name = await _host_only(context, IPv4Network(network.subnet))
            wanted.append({"kind": "hostonly", "name": name, "mac": mac})
        else:
            wanted.append({"kind": "internal", "name": network.name, "mac": mac})
    for own in options.networks:
        name = own.name
        if own.kind == "hostonly":
            name = await _host_only(context, IPv4Network(own.subnet, strict=False))
        wanted.append({"kind": own.kind, "name": name, "mac": ""})
    return wanted


async def _host_only(context: Context, subnet: IPv4Network) -> str:
    """Name of the host's interface, which has the subnet's first address."""
    about = await context.bridge.ask("about")
    check_permitted(subnet, about["version"])
    name: str = await context.bridge.call(
        "host-only", address=str(subnet.network_address + 1), mask=str(subnet.netmask)
    )
    return name


async def drop_unused(context: Context) -> Sequence[Any]:
    """Host-only interfaces that were made for machines and that none has any more are removed."""
    found: Sequence[Any] = await context.bridge.call("drop networks")
    return found

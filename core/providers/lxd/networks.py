"""The networks that the machines of a project share: bridges, removed with the last machine in them."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import PlannedNetwork
from core.providers.lxd.connection import Connection, segment
from core.providers.lxd.definition import gateway
from core.providers.lxd.instances import BY, SELF
from core.providers.lxd.troubles import LxdError


async def ensure(connection: Connection, network: PlannedNetwork, locks: dict[str, asyncio.Lock]) -> None:
    """Make the network unless it is there. Raises ProviderError where its name or its range is taken."""
    async with locks.setdefault(network.name, asyncio.Lock()):
        found = await connection.find(_path(network.name))
        if found is None:
            await _refuse_range(connection, network)
            await _make(connection, network)
        elif found.get("config", {}).get(BY) != SELF:
            raise ProviderError(
                f"The network {network.name} at {connection.place} is somebody else's.",
                why=f"It has the name that the project's network {network.label!r} is to have.",
                remedy=f"lxc network rename {network.name} NAME, or call the project's network otherwise",
            )


async def _make(connection: Connection, network: PlannedNetwork) -> None:
    config = {
        "ipv4.address": gateway(network.subnet),
        "ipv4.nat": "false",
        "ipv6.address": "none",
        BY: SELF,
    }
    body: dict[str, Any] = {"name": network.name, "type": "bridge", "description": network.label}
    if (await connection.ask("GET", "/1.0"))["environment"].get("server_clustered"):
        # Each member has to know first, and only the last call says what the network is like.
        for member in await connection.ask("GET", "/1.0/cluster/members", query={"recursion": 1}):
            query = {"target": member["server_name"]}
            await connection.operate("POST", "/1.0/networks", body=body, query=query)
    await connection.operate("POST", "/1.0/networks", body={**body, "config": config}, timeout=60.0)


async def _refuse_range(connection: Connection, network: PlannedNetwork) -> None:
    wanted = ipaddress.ip_network(network.subnet, strict=False)
    for other in await connection.ask("GET", "/1.0/networks", query={"recursion": 1}):
        for address in await _addresses(connection, other):
            if wanted.overlaps(address):
                raise ProviderError(
                    f"The range {network.subnet} of the network {network.label!r} is in use.",
                    why=f"{other['name']} has {address}.",
                    remedy=f"give the project's network {network.label!r} another 'subnet'",
                )


async def _addresses(
    connection: Connection, network: Mapping[str, Any]
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Ranges that a network or card of the server has."""
    texts = [network.get("config", {}).get("ipv4.address", "")]
    if not network.get("managed"):
        state = await connection.find(f"{_path(network['name'])}/state") or {}
        texts = [
            f"{entry['address']}/{entry['netmask']}"
            for entry in state.get("addresses") or ()
            if entry.get("family") == "inet"
        ]
    found = []
    for text in texts:
        if text and text != "none":
            found.append(ipaddress.ip_network(text, strict=False))
    return found


async def remove_unused(
    connection: Connection, name: str, busy: Mapping[str, int], locks: dict[str, asyncio.Lock]
) -> None:
    """``busy``: how many machines are about to be put into each."""
    async with locks.setdefault(name, asyncio.Lock()):
        found = await connection.find(_path(name))
        if found is None or found.get("config", {}).get(BY) != SELF or found.get("used_by") or busy.get(name):
            return
        try:
            await connection.operate("DELETE", _path(name))
        except LxdError as error:
            # Somebody else's engine may have put a machine into it meanwhile, or removed it itself.
            if "in use" not in error.problem.why and await connection.find(_path(name)) is not None:
                raise


def _path(name: str) -> str:
    return f"/1.0/networks/{segment(name)}"

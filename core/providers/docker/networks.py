"""Networks that the containers of a project share; they come with the first and go with the last."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan, PlannedNetwork
from core.model.work import Work
from core.providers.docker import names
from core.providers.docker.context import Context
from core.providers.docker.daemon import Daemon
from core.providers.docker.definition import main_network
from core.providers.docker.options import Options
from core.providers.docker.troubles import DockerError, is_gone

UNDO = "docker.network"
"""Kind of intent: a network that nobody may need."""


def wanted(plan: MachinePlan, options: Options) -> tuple[str, ...]:
    """Networks of ours that the machine is in."""
    own = names.network(plan.key.project)
    first = (own,) if main_network(plan, options) == own else ()
    return (*first, *(network.name for network in plan.networks))


async def ensure(context: Context, daemon: Daemon, plan: MachinePlan, options: Options, work: Work) -> None:
    """Make those that are not there. Raises ProviderError where a name or a range is somebody else's."""
    planned: dict[str, PlannedNetwork] = {network.name: network for network in plan.networks}
    for name in wanted(plan, options):
        async with context.locks.of(f"{daemon.address} {name}"):
            found = await _look(daemon, name)
            if found is not None and _same(plan, found, planned.get(name)):
                continue
            work.intend(UNDO, address=str(daemon.address), network=name)
            await daemon.ask("POST", "/networks/create", body=_body(plan, name, planned.get(name)))


async def _look(daemon: Daemon, name: str) -> dict[str, Any] | None:
    found = await daemon.ask("GET", "/networks", query={"filters": {"name": [name]}}) or []
    return next((network for network in found if network["Name"] == name), None)


def _same(plan: MachinePlan, found: Mapping[str, Any], planned: PlannedNetwork | None) -> bool:
    name = found["Name"]
    if (found.get("Labels") or {}).get(names.IMAGE) != names.project_digest(plan.key.project):
        raise ProviderError(
            f"There is a network {name} at Docker already, which is not this project's.",
            remedy=f"docker network inspect {name}, and docker network rm {name} where nobody needs it",
        )
    ranges = [entry.get("Subnet", "") for entry in (found.get("IPAM") or {}).get("Config") or []]
    if planned is not None and planned.subnet not in ranges:
        raise ProviderError(
            f"The network {planned.label!r} is to have the range {planned.subnet}.",
            why=f"It was made with {', '.join(ranges)}, and other machines are in it.",
            remedy="destroy the project's machines that are in it, then: boxwright up",
        )
    return True


def _body(plan: MachinePlan, name: str, planned: PlannedNetwork | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Name": name,
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Labels": {names.IMAGE: names.project_digest(plan.key.project)},
    }
    if planned is not None:
        subnet = ipaddress.ip_network(planned.subnet, strict=False)
        body["IPAM"] = {"Config": [{"Subnet": str(subnet), "Gateway": str(next(iter(subnet.hosts())))}]}
    return body


async def forget_unused(context: Context, daemon: Daemon, networks: Iterable[str]) -> None:
    """Remove those of ours in which no container is, running or not."""
    for name in networks:
        async with context.locks.of(f"{daemon.address} {name}"):
            found = await _look(daemon, name)
            if found is None or names.IMAGE not in (found.get("Labels") or {}) or context.in_use(name):
                continue
            query = {"all": True, "filters": {"network": [name]}}
            if await daemon.ask("GET", "/containers/json", query=query):
                continue
            try:
                await daemon.ask("DELETE", f"/networks/{found['Id']}")
            except DockerError as error:
                # 403: somebody is in it.
                if not is_gone(error) and error.status != 403:
                    raise

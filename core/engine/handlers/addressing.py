"""Networks of a project: their ranges, and every machine's address in them.

All follows from names, so that it is the same on each computer and before a machine exists. What machines
already have comes first, as does what the project file says.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network

import msgspec

from core.engine.context import Context
from core.engine.records import MachineRecord
from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachineKey, PlannedNetwork
from core.model.project import MachineSpec, Project
from core.providers import routes

RANGE = IPv4Network("10.213.0.0/16")
"""Networks for which no address is given are cut from here."""

FIRST, LAST = 10, 250
"""Last numbers of the addresses that are given freely."""


def plan_networks(
    context: Context, project: Project, key: MachineKey, spec: MachineSpec, machine_id: str
) -> tuple[PlannedNetwork, ...]:
    """The machine's place in each of its networks. Raises ProviderError where no range is free."""
    planned = []
    for network in spec.networks:
        records = _members(context, project.root, network.name)
        given = _given(project, network.name)
        subnet = _subnet(context, project, network.name, given, records)
        addresses = _addresses(subnet, given, records, {*_names(project, network.name), key.name})
        planned.append(
            PlannedNetwork(
                name=network_name(context, project.root, network.name),
                label=network.name,
                mac=_mac(machine_id, network.name),
                subnet=str(subnet),
                address=addresses[key.name],
            )
        )
    return tuple(planned)


def copied_places(
    context: Context, source: MachineRecord, key: MachineKey, machine_id: str
) -> tuple[PlannedNetwork, ...]:
    """For a copy of ``source``: in the same networks, at other addresses."""
    places = []
    for place in source.plan.networks:
        records = _members(context, source.key.project, place.label)
        given: dict[str, IPv4Address] = {}
        names: set[str] = set()
        with contextlib.suppress(BoxwrightError):
            project = context.projects.load(source.key.project)
            given, names = _given(project, place.label), _names(project, place.label)
        addresses = _addresses(IPv4Network(place.subnet), given, records, {*names, key.name})
        mac = _mac(machine_id, place.label)
        places.append(msgspec.structs.replace(place, mac=mac, address=addresses[key.name]))
    return tuple(places)


def neighbours(context: Context, project: Project, record: MachineRecord) -> dict[str, str]:
    """Names and addresses of the other machines in the machine's networks, created or not."""
    found: dict[str, str] = {}
    for network in record.plan.networks:
        records = _members(context, project.root, network.label)
        names = {*_names(project, network.label), *(other.key.name for other in records)}
        subnet = IPv4Network(network.subnet)
        for name, address in _addresses(subnet, _given(project, network.label), records, names).items():
            if name != record.key.name:
                found.setdefault(name, address)
    return found


def network_name(context: Context, project: str, label: str) -> str:
    """The same on all machines of a project, and another one in every other project and store of data."""
    return f"bw-{_hash(str(context.locations.data), project, label)[:10]}"


def _members(context: Context, project: str, label: str) -> list[MachineRecord]:
    """The created machines in a network, in order of their names."""
    found = [
        record
        for record in context.machines.records()
        if record.key.project == project and _place(record, label) is not None
    ]
    return sorted(found, key=lambda record: record.key)


def _place(record: MachineRecord, label: str) -> PlannedNetwork | None:
    return next((network for network in record.plan.networks if network.label == label), None)


def _names(project: Project, label: str) -> set[str]:
    return {
        name
        for name, spec in project.machines.items()
        if any(network.name == label for network in spec.networks)
    }


def _given(project: Project, label: str) -> dict[str, IPv4Address]:
    """What the project file says: addresses by the names of machines."""
    return {
        name: IPv4Address(network.address)
        for name, spec in project.machines.items()
        for network in spec.networks
        if network.name == label and network.address
    }


def _subnet(
    context: Context,
    project: Project,
    label: str,
    given: Mapping[str, IPv4Address],
    records: Iterable[MachineRecord],
) -> IPv4Network:
    for address in given.values():
        return IPv4Network(f"{address}/24", strict=False)
    for record in records:
        place = _place(record, label)
        if place:
            return IPv4Network(place.subnet)
    taken = set(routes.ranges()) | _taken(context, project, label)
    candidates = list(RANGE.subnets(new_prefix=24))
    first = int(_hash(project.root, label)[:8], 16) % len(candidates)
    for candidate in candidates[first:] + candidates[:first]:
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    raise ProviderError(
        f"No range of addresses is free for the network {label!r}.",
        why=f"All of {RANGE} is in use on this computer.",
        remedy="give one of its machines an address from another range, e.g. address = '172.31.7.10'",
    )


def _taken(context: Context, project: Project, label: str) -> set[IPv4Network]:
    """The ranges of all other networks of ours."""
    found = {
        IPv4Network(network.subnet)
        for record in context.machines.records()
        for network in record.plan.networks
        if (record.key.project, network.label) != (project.root, label)
    }
    for spec in project.machines.values():
        for network in spec.networks:
            if network.address and network.name != label:
                found.add(IPv4Network(f"{network.address}/24", strict=False))
    return found


def _addresses(
    subnet: IPv4Network,
    given: Mapping[str, IPv4Address],
    records: Iterable[MachineRecord],
    names: set[str],
) -> dict[str, str]:
    """The address of each of ``names``: the given one, else the one that it has, else one that follows
    from its name."""
    found = {name: str(address) for name, address in given.items()}
    for record in records:
        for network in record.plan.networks:
            inside = network.address and IPv4Address(network.address) in subnet
            if record.key.name not in found and inside and network.address not in found.values():
                found[record.key.name] = network.address
    for name in sorted(names - set(found)):
        first = int(_hash(name)[:8], 16)
        numbers = (FIRST + (first + step) % (LAST - FIRST + 1) for step in range(LAST - FIRST + 1))
        free = (str(subnet[number]) for number in numbers if str(subnet[number]) not in found.values())
        address = next(free, "")
        if not address:
            raise ProviderError(f"The network {subnet} is full.", why="It has room for 241 machines.")
        found[name] = address
    return found


def _mac(machine_id: str, label: str) -> str:
    digits = _hash(machine_id, label)
    return f"52:54:00:{digits[:2]}:{digits[2:4]}:{digits[4:6]}"


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()

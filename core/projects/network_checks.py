"""Contradictions between the networks of a project's machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.model.project import NetworkPlace, Project

if TYPE_CHECKING:
    from core.projects.diagnosis import Fault

Path = tuple[str | int, ...]


def network_faults(project: Project) -> Iterator[Fault]:
    """Networks that a machine has twice; addresses that cannot be, are another's, or in another's range."""
    holders: dict[str, str] = {}
    ranges: dict[str, tuple[str, str]] = {}
    for name, machine in project.machines.items():
        seen: set[str] = set()
        for number, network in enumerate(machine.networks):
            here: Path = ("machines", name, "networks", number)
            if network.name in seen:
                yield _fault((*here, "name"), f"{name!r} is in the network {network.name!r} twice.")
            seen.add(network.name)
            if network.address:
                yield from _address((*here, "address"), name, network, holders, ranges)


def _address(
    path: Path,
    machine: str,
    network: NetworkPlace,
    holders: dict[str, str],
    ranges: dict[str, tuple[str, str]],
) -> Iterator[Fault]:
    """``holders``: machines by address; ranges: by network, the first address and its machine."""
    address = network.address
    numbers = [int(part) for part in address.split(".")]
    first_ok = 1 <= numbers[0] <= 223 and numbers[0] != 127
    if max(numbers) > 255 or not first_ok or not 2 <= numbers[3] <= 254:
        yield _fault(
            path,
            f"{address} cannot be the address of a machine.",
            "The last number is from 2 to 254: the first address of a network is the host's.",
            'write for instance address = "10.213.7.10", or leave it out',
        )
        return
    holder = holders.setdefault(address, machine)
    if holder != machine:
        yield _fault(path, f"The address {address} is that of {holder!r}, too.")
    begin = address.rpartition(".")[0]
    known, who = ranges.setdefault(network.name, (begin, machine))
    if known != begin:
        yield _fault(
            path,
            f"{address} is not in the network of {who!r}, which is {known}.0/24.",
            f"Both are to be in the network {network.name!r}.",
            f"take an address that begins with {known}.",
        )
    for other, (taken, whose) in ranges.items():
        if other != network.name and taken == begin:
            yield _fault(
                path,
                f"{begin}.0/24 is the range of the network {other!r} (machine {whose!r}).",
                f"The network {network.name!r} needs another one.",
            )


def _fault(path: Path, what: str, why: str = "", remedy: str = "") -> Fault:
    from core.projects.diagnosis import Fault

    return Fault(path, what, why, remedy)

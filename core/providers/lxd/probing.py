"""Is LXD or Incus usable on this computer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import BoxwrightError
from core.model.provider import Capability, Probe, unusable
from core.providers.lxd import acquaintance, troubles
from core.providers.lxd.connection import Connection
from core.providers.lxd.options import read_options
from core.providers.lxd.place import Place, place_of

CAPABILITIES = frozenset(
    {
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.CLONE,
        Capability.SERIAL,
        Capability.STATS,
        Capability.PORTS,
        Capability.EXTRA_DISKS,
        Capability.NETWORKS,
    }
)
"""Not snapshots with memory: they need CRIU in the server, which hardly any has."""

_unusable = partial(unusable, "lxd", CAPABILITIES)

NEEDED = ("instances", "projects", "proxy", "console", "event_lifecycle", "api_filtering")
"""Extensions of the interface that are used: those of LXD 5.0, and of every Incus."""

PATIENCE = 3.0
"""Seconds for a server to answer."""

SUBORDINATE = (Path("/etc/subuid"), Path("/etc/subgid"))


async def probe(table: Mapping[str, Any]) -> Probe:
    """Asks the server that machines with these options use."""
    try:
        options = read_options(table)
        place = place_of(options)
        await acquaintance.meet(place, options.token_file)
        connection = Connection(place)
        server = await connection.ask("GET", "/1.0", timeout=PATIENCE)
        pools = await connection.ask("GET", "/1.0/storage-pools", timeout=PATIENCE)
    except BoxwrightError as error:
        problem = error.problem
        return _unusable(" ".join(filter(None, (problem.what, problem.why))), problem.remedy)
    return judge(place, server, pools, subordinate=_has_subordinate_ids())


def judge(place: Place, server: Mapping[str, Any], pools: Sequence[str], *, subordinate: bool) -> Probe:
    """From what the server says of itself. ``subordinate``: whether containers have users of their own."""
    environment = server.get("environment") or {}
    name = "Incus" if environment.get("server") == "incus" else "LXD"
    version = str(environment.get("server_version", ""))
    text = f"{name} {version}"
    if server.get("auth") == "untrusted":
        return _unusable(f"{text} does not trust you.", troubles.group_remedy(place), version)
    missing = [one for one in NEEDED if one not in (server.get("api_extensions") or ())]
    if missing:
        why = f"{text} is too old: it has no {', '.join(missing)}. LXD 5.0 and any Incus do."
        return _unusable(why, f"install a newer {name}", version)
    if "lxc" not in str(environment.get("driver", "lxc")):
        why = f"{text} has no containers, only {environment['driver']}."
        return _unusable(why, f"install LXC on its computer; {troubles.restart(place)}", version)
    if not pools:
        command = troubles.client(place)
        remedy = (
            f"{command} storage create default dir; "
            f"{command} profile device add default root disk path=/ pool=default"
        )
        return _unusable(f"{text} has no storage pool.", remedy, version)
    if not subordinate and not place.remote:
        why = f"{text} cannot run unprivileged containers: there are no subordinate ids for root."
        remedy = "echo root:1000000:1000000000 | sudo tee -a /etc/subuid /etc/subgid; "
        return _unusable(why, remedy + troubles.restart(place), version)
    return Probe(
        provider="lxd",
        usable=True,
        version=version,
        why=f"{text} at {place}",
        capabilities=tuple(sorted(CAPABILITIES)),
    )


def _has_subordinate_ids() -> bool:
    """Without those two files, the server takes ids of its own choice."""
    for path in SUBORDINATE:
        try:
            owners = [line.partition(":")[0] for line in path.read_text().splitlines()]
        except OSError:
            continue
        if not {"root", "0", "lxd"} & set(owners):
            return False
    return True

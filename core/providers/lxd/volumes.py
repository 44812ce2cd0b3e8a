"""Extra disks: custom volumes of a storage pool, mounted below /mnt in the container."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.lxd.connection import Connection, segment
from core.providers.lxd.definition import volume_name
from core.providers.lxd.instances import BY, ID, SELF
from core.providers.lxd.options import Options
from core.providers.lxd.troubles import LxdError, client


async def pool_of(connection: Connection, options: Options) -> str:
    """The pool of the machine's root: as the options say, else the last of its profiles that says.

    Raises ProviderError where there is none.
    """
    if options.pool:
        return options.pool
    for name in reversed(options.profiles):
        profile = await connection.ask("GET", f"/1.0/profiles/{segment(name)}")
        for device in profile["devices"].values():
            if device.get("type") == "disk" and device.get("path") == "/" and device.get("pool"):
                return str(device["pool"])
    command = client(connection.place)
    raise ProviderError(
        f"No storage pool is known for a container at {connection.place}.",
        why=f"None of the profiles ({', '.join(options.profiles)}) has a root disk.",
        remedy=f"{command} storage create default dir; "
        f"{command} profile device add default root disk path=/ pool=default",
    )


async def ensure(connection: Connection, plan: MachinePlan, pool: str) -> None:
    """Make the plan's extra disks that are not there yet."""
    for disk in plan.extra_disks:
        name = volume_name(plan, disk)
        if await connection.find(f"{_path(pool)}/{segment(name)}") is None:
            config = {"size": f"{disk.size}B", BY: SELF, ID: plan.id}
            await connection.operate("POST", _path(pool), body={"name": name, "config": config})


async def remove_all(connection: Connection, machine_id: str, pools: Sequence[str]) -> None:
    """Those of one machine; ``pools``: where to look."""
    for pool in pools:
        query = {"recursion": 1, "filter": f"config.{ID} eq {machine_id}"}
        try:
            found = await connection.ask("GET", _path(pool), query=query)
        except LxdError as error:
            if error.status == 404:
                continue
            raise
        for volume in found or ():
            if volume.get("config", {}).get(ID) == machine_id:
                await connection.operate("DELETE", f"{_path(pool)}/{segment(volume['name'])}")


def _path(pool: str) -> str:
    return f"/1.0/storage-pools/{segment(pool)}/volumes/custom"


async def copy(connection: Connection, source: MachinePlan, plan: MachinePlan, pool: str) -> None:
    """Give a copy of a machine copies of the disks that both have."""
    there = {disk.name for disk in source.extra_disks}
    for disk in plan.extra_disks:
        old = volume_name(source, disk)
        if disk.name not in there or await connection.find(f"{_path(pool)}/{segment(old)}") is None:
            continue
        body = {
            "name": volume_name(plan, disk),
            "config": {"size": f"{disk.size}B", BY: SELF, ID: plan.id},
            "source": {"type": "copy", "pool": pool, "name": old, "volume_only": True},
        }
        await connection.operate("POST", _path(pool), body=body)

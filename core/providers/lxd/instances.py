"""Instances of the server: finding those of a machine, and changing them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.lxd.connection import Connection, segment
from core.providers.lxd.troubles import LxdError, client

BY, ID, MACHINE, PROJECT = (f"user.boxwright.{key}" for key in ("by", "id", "machine", "project"))
"""Configuration keys that mark what is ours: ``by`` is the same on everything."""
APPLIED = "user.boxwright.applied"
"""Names of configuration keys and devices that the project's file has set, as JSON: what it no longer
names is taken away, and what somebody else has set stays."""
SELF = "boxwright"

RUNNING, FREEZING, FROZEN, STOPPED = "Running", "Freezing", "Frozen", "Stopped"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An instance, as the server tells of it."""

    name: str
    status: str = ""
    config: dict[str, str] = {}
    devices: dict[str, dict[str, str]] = {}
    expanded_devices: dict[str, dict[str, str]] = {}
    profiles: list[str] = []
    architecture: str = ""
    description: str = ""
    ephemeral: bool = False
    location: str = ""

    @property
    def id(self) -> str:
        return self.config.get(ID, "")

    @property
    def uuid(self) -> str:
        return self.config.get("volatile.uuid", "")

    @property
    def active(self) -> bool:
        return self.status not in (STOPPED, "Error", "")

    @property
    def frozen(self) -> bool:
        """Its processes stand still, or will in a moment: where a server dies while it freezes a container,
        that stays "Freezing" for the next one."""
        return self.status in (FROZEN, FREEZING)

    @property
    def path(self) -> str:
        return f"/1.0/instances/{segment(self.name)}"


def default_name(plan: MachinePlan) -> str:
    """What the instance is called, by us: a host name, with at most 63 characters."""
    word = re.sub(r"[^a-z0-9]", "-", plan.key.name.lower())
    return f"boxwright-{word[:38].strip('-') or 'machine'}-{plan.id}"


def as_left(row: Row, *, thawing: bool) -> Row:
    """A server that died while it thawed a container may say afterwards that it runs, though its processes
    stand still (with cgroups of both versions): it is not taken for running before it was thawed anew."""
    return msgspec.structs.replace(row, status=FREEZING) if thawing and row.status == RUNNING else row


async def ours(connection: Connection, machine_id: str = "") -> list[Row]:
    """All instances that bear our mark, or those of one machine, with one call."""
    wanted = f"config.{ID} eq {machine_id}" if machine_id else f"config.{BY} eq {SELF}"
    found = await connection.ask("GET", "/1.0/instances", query={"recursion": 1, "filter": wanted})
    return [msgspec.convert(row, Row) for row in found or ()]


def choose(rows: Sequence[Row], machine_id: str, *, uuid: str, name: str) -> Row | None:
    """The machine's own: somebody may have made copies of it, with the marks and all."""
    mine = [row for row in rows if row.id == machine_id]
    if uuid and any(row.uuid for row in mine):
        return next((row for row in mine if row.uuid == uuid), None)
    return next((row for row in mine if row.name == name), None)


async def find(connection: Connection, machine_id: str, *, uuid: str, name: str) -> Row | None:
    """``name``: as it was last called. Asking for all instances costs the server a look at each."""
    there = await connection.find(f"/1.0/instances/{segment(name)}")
    if there is not None:
        row = choose([msgspec.convert(there, Row)], machine_id, uuid=uuid, name=name)
        if row is not None:
            return row
    return choose(await ours(connection, machine_id), machine_id, uuid=uuid, name=name)


async def create(connection: Connection, body: Mapping[str, Any], *, target: str = "") -> None:
    """Make an instance, on the member ``target`` of a cluster. Raises ProviderError for a taken name."""
    query = {"target": target} if target else {}
    try:
        await connection.operate("POST", "/1.0/instances", body=body, query=query)
    except LxdError as error:
        if not any(words in error.problem.why for words in ("already", "UNIQUE constraint")):
            raise
        name = body["name"]
        raise ProviderError(
            f"The name {name} at {connection.place} is somebody else's.",
            why="There is an instance of that name that Boxwright did not make. It is left alone.",
            remedy=f"{client(connection.place)} rename {name} ANOTHER-NAME",
        ) from error


async def change_state(connection: Connection, row: Row, action: str, **more: Any) -> None:
    """``start``, ``stop``, ``freeze`` or ``unfreeze``."""
    if row.status == FREEZING and action != "freeze":
        # What a server that died has begun is ended by the next one only where it is asked to.
        await change_state(connection, row, "freeze")
    body = {"action": action, "timeout": -1, "force": False, "stateful": False, **more}
    patience = body["timeout"] + 30.0 if body["timeout"] > 0 else 120.0
    await connection.operate("PUT", f"{row.path}/state", body=body, timeout=patience)


async def rewrite(
    connection: Connection,
    row: Row,
    *,
    config: Mapping[str, str] | None = None,
    devices: Mapping[str, Mapping[str, str]] | None = None,
    profiles: Sequence[str] | None = None,
) -> None:
    """Replace what is given, where that is anything new."""
    wanted = {
        "config": dict(row.config if config is None else config),
        "devices": dict(row.devices if devices is None else devices),
        "profiles": list(row.profiles if profiles is None else profiles),
    }
    if wanted == {"config": row.config, "devices": row.devices, "profiles": row.profiles}:
        return
    rest = {
        "architecture": row.architecture,
        "ephemeral": row.ephemeral,
        "description": row.description,
    }
    await connection.operate("PUT", row.path, body={**rest, **wanted})


async def end(connection: Connection, row: Row) -> None:
    """Stop it by force; one that has stopped or vanished meanwhile is no error."""
    if not row.active:
        return
    try:
        await change_state(connection, row, "stop", force=True)
    except LxdError as error:
        if error.status == 404 or "already stopped" in error.problem.why:
            return
        left = await connection.find(row.path)
        if left is not None and left.get("status") != STOPPED:
            raise


async def delete(connection: Connection, row: Row) -> None:
    """Delete it, stopped; one that has vanished meanwhile is no error."""
    try:
        await connection.operate("DELETE", row.path)
    except LxdError as error:
        found = await connection.find(row.path)
        if error.status == 404 or found is None:
            return
        left = msgspec.convert(found, Row)
        if not left.active:
            raise
        # A server that has just come back starts again what ran when it went.
        await end(connection, left)
        await connection.operate("DELETE", row.path)


async def under_way(connection: Connection, name: str) -> bool:
    """Whether the server is at work on the instance: half made, it can be neither changed nor deleted."""
    found: Mapping[str, Any] = await connection.ask("GET", "/1.0/operations", query={"recursion": 1}) or {}
    path = f"/1.0/instances/{segment(name)}"
    return any(
        str(used).partition("?")[0] == path and operation.get("class") == "task"
        for operation in found.get("running") or ()
        for used in (operation.get("resources") or {}).get("instances") or ()
    )

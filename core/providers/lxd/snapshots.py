"""Snapshots of the root file system.

Any text can name one, and the server's own names are narrower: what a snapshot is called, and what came
before it, lies in a configuration key of the instance, which the server keeps with the snapshot and brings
back when it is restored. So the key always says where the machine stands.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.errors import NotFoundError, ProviderError, UsageError
from core.model.machine import MachinePlan, MachineState, Snapshot
from core.model.work import Work
from core.providers.base import Started
from core.providers.lxd import instances
from core.providers.lxd.connection import Connection, segment
from core.providers.lxd.context import Context, existing, facts, undoing
from core.providers.lxd.instances import Row
from core.providers.lxd.power import gone, start
from core.providers.lxd.record import Record

POINT = "user.boxwright.snapshot"
_PREFIX = "bw-"


class Point(msgspec.Struct, frozen=True):
    """Where a machine stands: the snapshot that was taken or restored last."""

    id: str = ""
    """Its name at the server."""
    name: str = ""
    ancestors: tuple[str, ...] = ()
    """Ids of those before it, the oldest first."""


class Found(msgspec.Struct, frozen=True):
    """A snapshot at the server."""

    id: str
    name: str
    created: float
    ancestors: tuple[str, ...]


def read_point(config: Mapping[str, str]) -> Point:
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(config.get(POINT, "{}"), type=Point)
    return Point()


def read_found(answer: Sequence[Mapping[str, Any]]) -> list[Found]:
    """From the server's list. One that somebody else has made has its name from there."""
    found = []
    for entry in answer:
        point = read_point(entry.get("config") or {})
        name = str(entry["name"]).rpartition("/")[2]
        created = _seconds(str(entry.get("created_at", "")))
        if point.id == name:
            found.append(Found(name, point.name, created, point.ancestors))
        else:
            found.append(Found(name, name, created, (*point.ancestors, point.id)))
    return sorted(found, key=lambda one: one.created)


def _seconds(text: str) -> float:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _last_there(ids: Sequence[str], there: Mapping[str, Found]) -> str:
    return next((there[one].name for one in reversed(ids) if one in there), "")


async def _all(connection: Connection, row: Row) -> list[Found]:
    return read_found(await connection.ask("GET", f"{row.path}/snapshots", query={"recursion": 1}) or ())


async def _row(context: Context, plan: MachinePlan, record: Record) -> Row:
    row = await context.row(plan, record)
    if row is None:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=gone(plan))
    return row


async def list_all(context: Context, plan: MachinePlan) -> tuple[Snapshot, ...]:
    """Oldest first."""
    record = existing(plan)
    row = await _row(context, plan, record)
    found = await _all(context.of(plan, record), row)
    there = {one.id: one for one in found}
    stands = read_point(row.config)
    current = _last_there((*stands.ancestors, stands.id), there)
    return tuple(
        Snapshot(
            name=one.name,
            created=one.created,
            parent=_last_there(one.ancestors, there),
            current=one.name == current,
        )
        for one in found
    )


async def save(context: Context, plan: MachinePlan, name: str, work: Work) -> None:
    if not name.strip():
        raise UsageError("A snapshot needs a name.")
    record = existing(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await _row(context, plan, record)
        if any(one.name == name for one in await _all(connection, row)):
            raise UsageError(
                f"There is a snapshot {name!r} of {plan.key.name} already.",
                remedy=f"boxwright snapshot delete {plan.key.name} {name!r}",
            )
        before = read_point(row.config)
        ancestors = (*before.ancestors, before.id) if before.id else ()
        point = Point(_PREFIX + secrets.token_hex(6), name, ancestors)
        given = {"snapshot": point.id, "before": row.config.get(POINT, "")}
        intent = work.intend("lxd.snapshot", **facts(plan, record.place, record.uuid), **given)
        config = {**row.config, POINT: msgspec.json.encode(point).decode()}
        await instances.rewrite(connection, row, config=config)
        body = {"name": point.id, "stateful": False}
        await connection.operate("POST", f"{row.path}/snapshots", body=body)
        intent.settle()
        watched.known = _state(row)


def _state(row: Row) -> MachineState | None:
    states = {
        instances.RUNNING: MachineState.RUNNING,
        instances.STOPPED: MachineState.STOPPED,
        instances.FREEZING: MachineState.SUSPENDED,
        instances.FROZEN: MachineState.SUSPENDED,
    }
    return states.get(row.status)


async def undo_save(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``lxd.snapshot``: the snapshot goes, and the machine stands where it stood."""
    connection, row = await undoing(context, given)
    if row is None:
        return
    path = f"{row.path}/snapshots/{segment(given['snapshot'])}"
    if await connection.find(path) is not None:
        await connection.operate("DELETE", path)
    if read_point(row.config).id == given["snapshot"]:
        config = {key: value for key, value in row.config.items() if key != POINT}
        if given["before"]:
            config[POINT] = given["before"]
        await instances.rewrite(connection, row, config=config)


async def _find(context: Context, plan: MachinePlan, name: str, record: Record) -> tuple[Row, Found]:
    row = await _row(context, plan, record)
    for one in await _all(context.of(plan, record), row):
        if one.name == name:
            return row, one
    raise NotFoundError(
        f"There is no snapshot {name!r} of {plan.key.name}.",
        remedy=f"boxwright snapshot list {plan.key.name}",
    )


async def restore(context: Context, plan: MachinePlan, name: str, work: Work) -> Started | None:
    """A machine that runs is switched off for it, and runs again afterwards."""
    record = existing(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row, one = await _find(context, plan, name, record)
        ran = row.active
        if ran:
            work.note("switching the container off")
            await instances.end(connection, row)
        watched.known = MachineState.STOPPED
        await connection.operate("PUT", row.path, body={"restore": one.id})
        return await start(context, plan, work) if ran else None


async def start_from(context: Context, plan: MachinePlan, name: str, work: Work) -> Started:
    """Start a stopped machine as the snapshot has it."""
    record = existing(plan)
    async with context.changing(plan):
        row, one = await _find(context, plan, name, record)
        if row.active:
            raise ProviderError(f"The machine {plan.key.name} runs already.")
        await context.of(plan, record).operate("PUT", row.path, body={"restore": one.id})
        return await start(context, plan, work)


async def delete(context: Context, plan: MachinePlan, name: str) -> None:
    record = existing(plan)
    row, one = await _find(context, plan, name, record)
    await context.of(plan, record).operate("DELETE", f"{row.path}/snapshots/{segment(one.id)}")

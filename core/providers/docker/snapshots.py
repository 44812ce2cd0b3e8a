"""Snapshots: what is in a container, kept as an image. What lies in volumes is not in it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Container, Mapping, Sequence
from typing import Any

import msgspec

from core.errors import NotFoundError, ProviderError, UsageError
from core.model.machine import MachinePlan, MachineState, Snapshot
from core.model.work import Work
from core.providers.base import Started
from core.providers.docker import containers, images, names
from core.providers.docker import record as records
from core.providers.docker.address import parse
from core.providers.docker.context import Context, existing
from core.providers.docker.daemon import Daemon
from core.providers.docker.late import appears
from core.providers.docker.layout import Layout
from core.providers.docker.making import facts, replace
from core.providers.docker.options import read_options
from core.providers.docker.power import begin, halt, refuse_live, started
from core.providers.docker.record import Record
from core.providers.docker.removal import remove_image

UNDO = "docker.snapshot"
"""Kind of intent: a snapshot that is to be none."""

_PREFIX = "snapshot-"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    tag: str
    name: str
    created: int
    """Nanoseconds of Unix time."""
    parent: str
    """Tag of the snapshot that its container went on from."""


def read_points(
    found: Sequence[Mapping[str, Any]], machine_id: str, forgotten: Container[str] = ()
) -> tuple[Point, ...]:
    """Oldest first, from a listing of the machine's images; ``forgotten``: tags of those that are none, even
    where Docker has only finished them since."""
    points = []
    prefix = f"{names.repository(machine_id)}:"
    for image in found:
        labels = image.get("Labels") or {}
        tags = [tag.removeprefix(prefix) for tag in image.get("RepoTags") or [] if tag.startswith(prefix)]
        tag = next((tag for tag in tags if tag.startswith(_PREFIX)), "")
        if tag and tag not in forgotten and labels.get(names.SNAPSHOT):
            created = labels.get(names.CREATED, "0")
            points.append(
                Point(
                    tag=tag,
                    name=labels[names.SNAPSHOT],
                    created=int(created) if created.isdecimal() else 0,
                    parent=labels.get(names.PARENT, ""),
                )
            )
    return tuple(sorted(points, key=lambda point: point.created))


async def _points(daemon: Daemon, plan: MachinePlan, record: Record) -> tuple[Point, ...]:
    return read_points(await images.of_machine(daemon, plan.id), plan.id, record.forgotten)


async def list_all(context: Context, plan: MachinePlan) -> tuple[Snapshot, ...]:
    """Oldest first; none of a machine that does not exist."""
    record = records.read(Layout.of(plan))
    if record is None:
        return ()
    points = await _points(await context.of(plan, record), plan, record)
    by_tag = {point.tag: point for point in points}
    return tuple(
        Snapshot(
            name=point.name,
            created=point.created / 1e9,
            parent=_parent(point.parent, by_tag, record.forgotten),
            current=point.tag == _standing(record.current, by_tag, record.forgotten),
        )
        for point in points
    )


def _standing(tag: str, by_tag: Mapping[str, Point], forgotten: Mapping[str, str]) -> str:
    """The nearest snapshot, from ``tag`` on back, that was not deleted."""
    for _ in range(len(forgotten) + 1):
        if not tag or tag in by_tag:
            return tag
        tag = forgotten.get(tag, "")
    return ""


def _parent(tag: str, by_tag: Mapping[str, Point], forgotten: Mapping[str, str]) -> str:
    standing = _standing(tag, by_tag, forgotten)
    return by_tag[standing].name if standing else ""


async def save(context: Context, plan: MachinePlan, name: str, work: Work) -> None:
    """Of a machine that runs, it stands still for the moment that its files are taken down."""
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        _check_name(name, await _points(daemon, plan, record))
        before = await _state(daemon, plan, record)
        now = time.time_ns()
        tag = f"{_PREFIX}{now:x}-{secrets.token_hex(3)}"
        # Its undo takes the snapshot away again, should the operation fail later.
        paused = record.container if before is MachineState.RUNNING else ""
        work.intend(
            UNDO, tag=tag, parent=record.current, paused=paused, began=time.time(), **facts(plan, daemon)
        )
        labels = {names.SNAPSHOT: name, names.CREATED: str(now), names.PARENT: record.current}
        await images.commit(daemon, record.container, plan.id, tag, labels)
        records.write(Layout.of(plan), msgspec.structs.replace(record, current=tag))
        subject.known = before


async def _state(daemon: Daemon, plan: MachinePlan, record: Record) -> MachineState:
    row = await containers.row(daemon, plan.id, record.container)
    if row is None:
        raise ProviderError(
            f"The machine {plan.key.name} is broken.",
            why="Its container is gone.",
            remedy=f"boxwright destroy {plan.key.name}",
        )
    if row.state == "paused":
        return MachineState.SUSPENDED
    return MachineState.RUNNING if row.live else MachineState.STOPPED


def _check_name(name: str, points: Sequence[Point]) -> None:
    if not name.strip() or len(name) > 200 or any(ord(letter) < 32 for letter in name):
        raise UsageError(
            f"A snapshot cannot be called {name!r}.",
            why="A name has 1 to 200 characters, no line breaks, and is not blank.",
        )
    if any(point.name == name for point in points):
        raise UsageError(
            f"There is a snapshot {name!r} already.",
            remedy=f"boxwright snapshot delete {name!r}, or choose another name",
        )


async def _known(daemon: Daemon, plan: MachinePlan, record: Record, name: str) -> Point:
    points = await _points(daemon, plan, record)
    for point in points:
        if point.name == name:
            return point
    others = ", ".join(repr(known.name) for known in points)
    raise NotFoundError(
        f"The machine {plan.key.name} has no snapshot {name!r}.",
        why=f"It has: {others}." if others else "It has none.",
    )


async def restore(context: Context, plan: MachinePlan, name: str, work: Work) -> Started | None:
    """Another container, made from the snapshot, takes the machine's place. One that ran runs again."""
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        point = await _known(daemon, plan, record, name)
        row = await containers.row(daemon, plan.id, record.container)
        ran = row is not None and row.live
        if row is not None and row.live:
            await halt(daemon, plan, row, work, force=True)
        record = await _go_back(daemon, plan, record, point, work)
        subject.known = MachineState.STOPPED
        if not ran:
            return None
        record = await begin(context, daemon, plan, record, work, subject)
    return started(plan, record)


async def _go_back(daemon: Daemon, plan: MachinePlan, record: Record, point: Point, work: Work) -> Record:
    work.note("another container, made from the snapshot, takes this one's place")
    image = f"{names.repository(plan.id)}:{point.tag}"
    options = read_options(plan.options)
    return await replace(daemon, plan, record, options, record.ports, image, work, keep=point.tag)


async def start_from(context: Context, plan: MachinePlan, name: str, work: Work) -> Started:
    """Start a stopped machine from a snapshot."""
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        point = await _known(daemon, plan, record, name)
        refuse_live(plan, await containers.row(daemon, plan.id, record.container))
        record = await _go_back(daemon, plan, record, point, work)
        record = await begin(context, daemon, plan, record, work, subject)
    return started(plan, record)


async def delete(context: Context, plan: MachinePlan, name: str) -> None:
    """Layers that a container or another snapshot still needs stay until nobody does."""
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        point = await _known(daemon, plan, record, name)
        before = await _state(daemon, plan, record)
        await _drop(daemon, Layout.of(plan), record, plan.id, point.tag, point.parent)
        subject.known = before


async def _drop(
    daemon: Daemon, layout: Layout, record: Record, machine_id: str, tag: str, parent: str
) -> None:
    """Whoever went on from it goes on from its parent."""
    records.write(layout, msgspec.structs.replace(record, forgotten={**record.forgotten, tag: parent}))
    await remove_image(daemon, f"{names.repository(machine_id)}:{tag}")
    await images.forget(daemon, machine_id, nameless_only=True)


async def undo_save(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``docker.snapshot``."""
    daemon = context.daemon(parse(given["address"]))
    layout = Layout.from_facts(given)
    # Whoever asked may have died before the daemon had begun: only then is there nothing to be seen yet.
    tag = f"{names.repository(given['id'])}:{given['tag']}"
    await appears(lambda: images.exists(daemon, tag), given.get("began", 0.0))
    if given["paused"]:
        await containers.goes_on(daemon, given["paused"])
    record = records.read(layout)
    if record is not None:
        await _drop(daemon, layout, record, given["id"], given["tag"], given["parent"])
    else:
        await remove_image(daemon, tag)

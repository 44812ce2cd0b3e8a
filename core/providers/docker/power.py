"""Starting, stopping, freezing and thawing containers."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import BusyError, ProviderError
from core.model.machine import Forward, MachinePlan, MachineState
from core.model.work import Work
from core.providers.base import Started
from core.providers.docker import containers, health, networks, volumes
from core.providers.docker import record as records
from core.providers.docker.address import parse
from core.providers.docker.attention import Subject
from core.providers.docker.containers import Row
from core.providers.docker.context import Context, existing
from core.providers.docker.daemon import Daemon
from core.providers.docker.layout import Layout
from core.providers.docker.making import choose_ports, facts, up_to_date
from core.providers.docker.options import Options, read_options
from core.providers.docker.record import Record
from core.providers.docker.troubles import DockerError
from core.providers.ports import taken_error

UNDO_START = "docker.start"
"""Kind of intent: a container that may run and is to be stopped."""

UNDO_FREEZE = "docker.freeze"
"""Kind of intent: a container that may be frozen and is to go on."""

UNDO_THAW = "docker.thaw"
"""Kind of intent: a container that may go on and is to be frozen."""

_ATTEMPTS = 5
_TAKEN = re.compile(r"(?:listen \w+ [\d.]+:(\d+)|Bind for [\d.]+:(\d+) failed|[\d.]+:(\d+): bind)")


async def start(context: Context, plan: MachinePlan, work: Work) -> Started:
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        refuse_live(plan, await containers.row(daemon, plan.id, record.container))
        record = await begin(context, daemon, plan, record, work, subject)
    return started(plan, record)


def refuse_live(plan: MachinePlan, row: Row | None) -> None:
    """Raise ProviderError where the machine cannot be started as it is."""
    name = plan.key.name
    if row is None:
        raise ProviderError(
            f"The machine {name} is broken.",
            why="Its container is gone: somebody else has removed it.",
            remedy=f"boxwright destroy {name}, then: boxwright up {name}",
        )
    if row.state == "paused":
        raise ProviderError(
            f"The machine {name} is suspended.",
            why="Starting it afresh would lose what is in its memory.",
            remedy=f"boxwright resume {name}",
        )
    if row.live:
        raise ProviderError(f"The machine {name} runs already.")


async def begin(
    context: Context, daemon: Daemon, plan: MachinePlan, record: Record, work: Work, subject: Subject
) -> Record:
    """Start a stopped machine's container, replaced first where it is not as its project describes it."""
    options = read_options(plan.options)
    work.intend(UNDO_START, **facts(plan, daemon))
    refused: set[int] = set()
    anew = ""
    with context.using((*networks.wanted(plan, options), *volumes.wanted(plan, options))):
        await networks.ensure(context, daemon, plan, options, work)
        await volumes.ensure(daemon, plan, options)
        for attempt in range(_ATTEMPTS):
            chosen = choose_ports(context, plan, options, record.ports, frozenset(refused))
            try:
                record = await up_to_date(context, daemon, plan, record, chosen, work, anew=anew)
                record = _used(plan, record)
                await _launch(context, daemon, plan, record, options)
                break
            except DockerError as error:
                taken = _taken_port(error)
                anew = "Docker still has its last run" if containers.haunted(error) else ""
                if not (taken or anew) or attempt == _ATTEMPTS - 1:
                    raise
                if taken:
                    _may_move(plan, chosen, taken)
                    refused.add(taken)
            finally:
                context.claims.release(plan.id)
    subject.known = MachineState.RUNNING
    await health.wait(daemon, record.container, options.health_timeout, subject.news, work)
    return record


async def _launch(
    context: Context, daemon: Daemon, plan: MachinePlan, record: Record, options: Options
) -> None:
    await context.logs.begin(daemon, record.container, Layout.of(plan).serial_log, tty=options.tty)
    try:
        await containers.start(daemon, record.container)
    except BaseException:
        await context.logs.leave(record.container)
        raise


def _used(plan: MachinePlan, record: Record) -> Record:
    """From now on there may be something in the container."""
    if not record.used:
        record = msgspec.structs.replace(record, used=True)
        records.write(Layout.of(plan), record)
    return record


def _taken_port(error: DockerError) -> int:
    """The host's port that somebody else took at the last moment; 0 where that is not the reason."""
    text = error.problem.why
    if "already allocated" not in text and "already in use" not in text:
        return 0
    found = _TAKEN.search(text)
    return int(next(filter(None, found.groups()))) if found else 0


def _may_move(plan: MachinePlan, chosen: tuple[Forward, ...], taken: int) -> None:
    for wanted in plan.ports:
        if wanted.host == taken and not wanted.auto_correct:
            raise taken_error(wanted)
    if not any(forward.host == taken for forward in chosen):
        raise BusyError(f"The host's port {taken} is in use.")


def started(plan: MachinePlan, record: Record) -> Started:
    """What is known of a running machine; from its record alone, so that the next engine says the same."""
    options = read_options(plan.options)
    shown = {"container": f"{record.name} ({record.container[:12]})", "image": record.shown}
    if plan.hostname and options.network != "host":
        shown["hostname"] = plan.hostname
    if options.communicator == "ssh":
        ssh = next((forward.host for forward in record.ports if forward.name == "ssh"), 22)
        return Started(ports=record.ports, ssh_port=ssh, addressed=True, facts=shown)
    return Started(
        ports=record.ports,
        communicator="docker",
        ssh_host=record.address,
        ssh_port=0,
        target=record.container,
        addressed=True,
        facts=shown,
    )


async def stop(context: Context, plan: MachinePlan, work: Work, *, force: bool) -> None:
    async with context.changing(plan) as (daemon, record, subject):
        row = await containers.row(daemon, plan.id, record.container) if record else None
        if row is not None and row.live:
            await halt(daemon, plan, row, work, force=force)
        subject.known = MachineState.STOPPED


async def halt(daemon: Daemon, plan: MachinePlan, row: Row, work: Work, *, force: bool) -> None:
    """A live container, until it does not run any more."""
    if not force and row.state == "running" and await _asked_to_end(daemon, plan, row.id, work):
        return
    await containers.kill(daemon, row.id)
    try:
        async with asyncio.timeout(containers.SLOW):
            await containers.ended(daemon, row.id)
    except TimeoutError:
        raise ProviderError(
            f"The container of {plan.key.name} cannot be ended.",
            why="Its processes do not go away, although they were killed.",
            remedy="look whether a file system that they use hangs (dmesg)",
        ) from None


async def _asked_to_end(daemon: Daemon, plan: MachinePlan, container: str, work: Work) -> bool:
    """Whether it ended by itself."""
    about = await containers.inspect(daemon, container)
    signal = (about.get("Config") or {}).get("StopSignal") or "SIGTERM"
    if signal in ("SIGKILL", "KILL", "9"):
        return False
    work.note(f"asking it to end ({signal})")
    began = time.monotonic()
    await containers.kill(daemon, container, signal)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, plan.halt_timeout - (time.monotonic() - began))):
            await containers.ended(daemon, container)
            return True
    work.note(f"it did not end within {plan.halt_timeout:g} s: by force")
    return False


async def suspend(context: Context, plan: MachinePlan, work: Work) -> None:
    """Freeze all processes: they stay in memory and get no time."""
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        row = await containers.row(daemon, plan.id, record.container)
        if row is None or row.state != "running":
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        work.intend(UNDO_FREEZE, **facts(plan, daemon))
        await daemon.ask("POST", f"/containers/{row.id}/pause")
        work.progress(1, 1)
        work.note("frozen; what is in its memory stays there")
        subject.known = MachineState.SUSPENDED


async def resume(context: Context, plan: MachinePlan, work: Work) -> Started:
    async with context.changing(plan) as (daemon, record, subject):
        record = existing(plan, record)
        row = await containers.row(daemon, plan.id, record.container)
        if row is None or row.state != "paused":
            raise ProviderError(
                f"The machine {plan.key.name} is not suspended.", remedy=f"boxwright up {plan.key.name}"
            )
        work.intend(UNDO_THAW, **facts(plan, daemon))
        await daemon.ask("POST", f"/containers/{row.id}/unpause")
        subject.known = MachineState.RUNNING
    return started(plan, record)


async def undo_start(context: Context, given: Mapping[str, Any]) -> None:
    daemon = context.daemon(parse(given["address"]))
    for row in await containers.rows(daemon, given["id"]):
        if row.live:
            await containers.kill(daemon, row.id)
            await containers.ended(daemon, row.id)


async def undo_freeze(context: Context, given: Mapping[str, Any]) -> None:
    await _turn(context, given, "paused", "unpause")


async def undo_thaw(context: Context, given: Mapping[str, Any]) -> None:
    await _turn(context, given, "running", "pause")


async def _turn(context: Context, given: Mapping[str, Any], state: str, action: str) -> None:
    daemon = context.daemon(parse(given["address"]))
    record = records.read(Layout.from_facts(given))
    row = await containers.row(daemon, given["id"], record.container) if record else None
    if row is not None and row.state == state:
        await daemon.ask("POST", f"/containers/{row.id}/{action}")

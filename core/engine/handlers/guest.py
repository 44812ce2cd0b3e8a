"""Reaching the guest of a machine: waiting for it, its keys, the connection that operations share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from core.engine.context import Context
from core.engine.handlers.describing import spec_of
from core.engine.handlers.running import mark_running, mark_stopped
from core.engine.records import MachineRecord
from core.errors import BoxwrightError
from core.guests.errors import GuestGoneError
from core.guests.keys import is_insecure, login_identities
from core.model.machine import SSH, Endpoint, MachineState
from core.model.work import Work
from core.providers.base import Started

if TYPE_CHECKING:
    from core.guests.remote import RemoteGuest
    from core.guests.session import GuestSession

_LOOK_SECONDS = 2.0
"""Besides the provider's pushed changes: how often a machine that is waited for is looked at."""


async def wait(context: Context, record: MachineRecord, work: Work, started: Started) -> None:
    """Until the guest answers. A machine that starts but never answers is kept, so that one can
    look at it; cancelling takes it back."""
    from core.guests.wait import wait_for_guest

    endpoint = endpoint_of(record, started)
    spec = spec_of(context, record)
    async with work.step("Wait for SSH" if endpoint.communicator == SSH else "Wait for the guest") as step:
        try:
            guest = await wait_for_guest(
                endpoint,
                work=step,
                gone=lambda: _gone(context, record),
                timeout=spec.boot_timeout if spec else 300.0,
                identities=login_identities(record.plan.folder, identity=record.identity),
            )
        except GuestGoneError:
            work.commit()
            mark_stopped(context, record.key)
            raise
        except BoxwrightError:
            work.commit()
            mark_running(context, record.key, started)
            raise
    await keep(context, record, guest)
    context.machines.change(record.key, known_hosts=endpoint.known_hosts)


async def keep(context: Context, record: MachineRecord, guest: RemoteGuest) -> None:
    """Share the open connection, and remember the key that opened it."""
    guest.endpoint = msgspec.structs.replace(guest.endpoint, identity=guest.identity)
    await context.guests.keep(record.id, guest)
    context.machines.change(record.key, identity=guest.identity)


async def _gone(context: Context, record: MachineRecord) -> str:
    """Returns when the machine runs no longer, with what the provider says of it."""
    provider = context.provider(record.provider)
    while True:
        seen = (await provider.states([record.plan])).get(record.id)
        if seen is not None and seen.state is not MachineState.RUNNING:
            return seen.trouble or f"The machine is {seen.state}"
        await asyncio.sleep(_LOOK_SECONDS)


async def prepare(context: Context, record: MachineRecord, work: Work) -> None:
    """What a guest needs once: its own key instead of the well-known one, its host name."""
    spec = spec_of(context, record)
    replace = spec is None or (spec.ssh.replace_key and not spec.ssh.identity)
    if replace and _over_ssh(record) and is_insecure(record.identity):
        from core.guests.replacement import replace_key

        async with work.step("Replace the well-known key") as step:
            session = await reach(context, record)
            guest = await replace_key(await session.connection(), record.plan.folder, work=step)
            await keep(context, record, guest)
    if spec is not None and spec.hostname and record.facts.get("hostname") != spec.hostname:
        from core.guests.hostname import set_hostname

        async with work.step("Host name", detail=spec.hostname) as step:
            await set_hostname(await reach(context, record), spec.hostname)
        record = context.machines.require(record.key)
        context.machines.change(record.key, facts={**record.facts, "hostname": spec.hostname})


async def reach(context: Context, record: MachineRecord) -> GuestSession:
    """The connection to a running machine's guest: the one that is open, else a new one."""
    record = context.machines.require(record.key)
    if record.started is None or record.state is not MachineState.RUNNING:
        raise BoxwrightError(
            f"{record.key.name} is {record.state}, not running.",
            why=record.trouble,
            remedy=f"boxwright up {record.key.name}",
        )
    endpoint = endpoint_of(record, record.started)
    identities = login_identities(record.plan.folder, identity=record.identity)
    return await context.guests.session(record.id, endpoint, identities=identities)


async def meet(context: Context, record: MachineRecord, work: Work) -> bool:
    """Wait for a running guest that never answered, or whose host key is to be seen anew.

    False for one whose host key is pinned: it was reached before. One that needs no host key is
    reached anew at any time."""
    from core.guests.hostkeys import pinned

    started = record.started
    if started is None or started.communicator != SSH or pinned(endpoint_of(record, started).known_hosts):
        return False
    await forget(context, record)
    await wait(context, record, work, started)
    return True


async def forget(context: Context, record: MachineRecord) -> None:
    """Close the connection: the guest is about to go."""
    await context.drop_guest(record.id)


def _over_ssh(record: MachineRecord) -> bool:
    return record.started is None or record.started.communicator == SSH


def endpoint_of(record: MachineRecord, started: Started) -> Endpoint:
    return Endpoint(
        communicator=started.communicator,
        target=started.target,
        host=started.ssh_host,
        port=started.ssh_port,
        user=record.user,
        identity=record.identity,
        known_hosts=known_hosts(record),
        forward_agent=record.forward_agent,
    )


def known_hosts(record: MachineRecord) -> str:
    """Path of the file with the pinned host key, which may not be there yet."""
    return record.known_hosts or f"{record.plan.folder}/known_hosts"

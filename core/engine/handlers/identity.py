"""A copied machine becomes a machine of its own, before anything else talks to its guest."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers.describing import spec_of
from core.engine.records import MachineRecord
from core.guests import hostkeys
from core.guests.keys import login_identities, machine_key
from core.model.machine import MachineKey
from core.model.work import Work
from core.providers.base import Started

COPIED = "copied"
"""Fact of a record: the guest still is what it was copied from."""

_SOURCE_KEY = "source_key"


def pending(record: MachineRecord) -> bool:
    return bool(record.facts.get(COPIED))


def first_key(source: MachineRecord, folder: str) -> str:
    """What opens the copy at first, whatever becomes of its source: the path of a private key, or ""."""
    own = machine_key(source.plan.folder)
    if source.identity == str(own):
        key = Path(folder, _SOURCE_KEY)
        hostkeys.write_private(key, own.read_bytes())
        shutil.copyfile(own.with_name(own.name + ".pub"), key.with_name(key.name + ".pub"))
        return str(key)
    # Any other key in the source's folder is a well-known one.
    return "" if source.identity.startswith(f"{source.plan.folder}/") else source.identity


def unpin(record: MachineRecord) -> None:
    """Until it has its own, the copy shows the host key of its source, or a new one that nobody saw yet."""
    if pending(record):
        Path(guests.known_hosts(record)).unlink(missing_ok=True)


async def renew(context: Context, key: MachineKey, work: Work, started: Started) -> None:
    """Nothing to do for machines that are no copies, or have become themselves."""
    record = context.machines.require(key)
    if not pending(record):
        return
    from core.guests.identity import renew_identity

    async with work.step("A machine of its own", detail="host keys, machine id, key, name") as step:
        endpoint = guests.endpoint_of(record, started)
        identities = login_identities(record.plan.folder, identity=record.identity)
        session = await context.guests.session(record.id, endpoint, identities=identities)
        step.note("new host keys and machine id")
        host_keys = await renew_identity(session)
        if host_keys:
            hostkeys.pin(guests.known_hosts(record), *host_keys[0])
        spec = spec_of(context, record)
        if spec is not None and spec.hostname:
            from core.guests.hostname import set_hostname

            step.note(f"host name {spec.hostname}")
            await set_hostname(session, spec.hostname)
            context.machines.change(key, facts={**record.facts, "hostname": spec.hostname})
        if public := _source_line(record):
            from core.guests.replacement import replace_key

            step.note("new key")
            fresh = await replace_key(
                await session.connection(), record.plan.folder, work=step, unwanted=(public,)
            )
            await guests.keep(context, record, fresh)
        elif host_keys:
            await context.drop_guest(record.id)
            await (await context.guests.session(record.id, endpoint, identities=identities)).connection()
        record = context.machines.require(key)
        facts = {name: value for name, value in record.facts.items() if name != COPIED}
        context.machines.change(key, facts=facts, known_hosts=guests.known_hosts(record))
        for path in _source_files(record):
            path.unlink(missing_ok=True)


def _source_files(record: MachineRecord) -> tuple[Path, Path]:
    """The source's key pair, as long as it opens the copy."""
    folder = Path(record.plan.folder)
    return folder / _SOURCE_KEY, folder / f"{_SOURCE_KEY}.pub"


def _source_line(record: MachineRecord) -> str:
    """The public key's line; "" where the source has no key of its own."""
    public = _source_files(record)[1]
    return public.read_text() if public.exists() else ""

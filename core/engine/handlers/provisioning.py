"""Provisioners, and the folders that a guest gets copies of."""

from __future__ import annotations

import time

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers.describing import spec_for
from core.engine.records import MachineRecord
from core.model import command as commands
from core.model.machine import MachineKey
from core.model.project import MachineSpec
from core.model.work import Work


async def provision(context: Context, command: commands.Provision, work: Work) -> None:
    """Copy the folders, then run the provisioners that were asked for."""
    record = context.machines.require(command.machine)
    await folders(context, record, work)
    await _run(context, record, work, only=command.only, start_at=command.start_at, force=True)


async def provision_due(
    context: Context, key: MachineKey, wanted: bool | None, work: Work, *, booted: bool
) -> None:
    """After an up: those that are due, all of them, or (``wanted`` False) none."""
    if wanted is False:
        return
    record = context.machines.require(key)
    if booted or wanted or not record.provisioned_at:
        await _run(context, record, work, only=(), start_at=0, force=bool(wanted))


async def _run(
    context: Context,
    record: MachineRecord,
    work: Work,
    *,
    only: tuple[str, ...],
    start_at: int,
    force: bool,
) -> None:
    spec = _spec(context, record)
    if spec is None or not (spec.provision or only):
        context.machines.change(record.key, provisioned_at=time.time())
        return
    from core.provisioners.run import provision as run_provisioners

    def ran(fingerprint: str) -> None:
        """Kept at once, so that the next run begins where this one failed."""
        before = context.machines.require(record.key).provisioned
        context.machines.change(record.key, provisioned=tuple(dict.fromkeys((*before, fingerprint))))

    await run_provisioners(
        await guests.reach(context, record),
        record.key.project,
        spec.provision,
        done=record.provisioned,
        only=only,
        start_at=start_at,
        force=True if force else None,
        work=work,
        machine=record.key.name,
        ran=ran,
    )
    context.machines.change(record.key, provisioned_at=time.time())


async def folders(context: Context, record: MachineRecord, work: Work) -> None:
    """Bring the guest's copies of the host's folders up to date."""
    spec = _spec(context, record)
    if spec is not None and spec.folders:
        from core.guests.folders import copy_folders

        await copy_folders(await guests.reach(context, record), record.key.project, spec.folders, work=work)


def _spec(context: Context, record: MachineRecord) -> MachineSpec | None:
    """Raises ConfigError where the project cannot be read: provisioning cannot go by guess."""
    return spec_for(context.projects.load(record.key.project), record)

"""Making a machine: provider, box, linked clone, record."""

from __future__ import annotations

import asyncio
import time

import msgspec

from core.engine.context import Context
from core.engine.handlers.box_for import box_for
from core.engine.handlers.describing import spec_for
from core.engine.handlers.planning import choose_provider, make_plan, new_id, private_folder
from core.engine.records import MachineRecord
from core.engine.registry import RECORD
from core.errors import ConfigError
from core.model.box import Box
from core.model.machine import MachineKey
from core.model.project import BoxReference, MachineSpec, Project
from core.model.work import Work
from core.projects.validate import check_files
from core.providers.base import Provider


async def create(context: Context, key: MachineKey, wanted_provider: str, work: Work) -> MachineRecord:
    """A stopped machine with its record. What it makes is undone unless ``work.commit`` is called."""
    project = context.projects.load(key.project)
    spec = project.machines[key.name]
    provider, reason = await choose_provider(context, project, key.name, wanted_provider)
    if not reason.endswith("asked for"):
        async with work.step("Provider", detail=reason):
            pass  # There was a choice: it is said what came of it, and why.
    box = await _box(context, project, spec, provider, work)
    # A build may have made some of them.
    await asyncio.to_thread(check_files, project, key.name)
    machine_id = new_id()
    plan = make_plan(
        context, machine_id=machine_id, key=key, project=project, spec=spec, provider=provider, box=box
    )
    async with work.step("Linked clone" if box else "Create", detail=str(box.key) if box else "") as step:
        folders = (plan.runtime, plan.folder)
        step.intend(RECORD, id=machine_id, paths=folders)
        for folder in folders:
            private_folder(folder)
        record = MachineRecord(
            plan=plan,
            provider=provider.name,
            provider_reason=reason,
            project_name=project.name,
            box=box.key if box else None,
            created=time.time(),
            user=spec.ssh.user or (box.user if box else ""),
            identity=spec.ssh.identity or (box.identity if box else ""),
            forward_agent=spec.ssh.forward_agent,
        )
        context.machines.put(record)
        await provider.create(plan, step)
    return record


async def _box(
    context: Context, project: Project, spec: MachineSpec, provider: Provider, work: Work
) -> Box | None:
    """None where the provider makes the machine from what its own options name."""
    options = spec.options(provider.name)
    if not provider.needs_box(options):
        return None
    if isinstance(spec.box, BoxReference) and spec.box.options:
        raise ConfigError(
            f"{provider.name} cannot make a machine from {spec.box}.",
            why="Containers are made from images; this provider needs a box.",
            remedy="set the machine's 'provider' to one for containers, or give it a 'box'",
        )
    return await box_for(context, project, spec, provider, work)


def plan_again(context: Context, record: MachineRecord) -> MachineRecord:
    """The record of a stopped machine, with its plan as the project's file describes it now.

    The disks stay: another box takes effect when the machine is made anew. A machine that is no
    longer in its project keeps its old plan.
    """
    project = context.projects.load(record.key.project)
    spec = spec_for(project, record)
    if spec is None:
        return record
    provider = context.provider(record.provider)
    box = _linked_box(record)
    plan = make_plan(
        context,
        machine_id=record.id,
        key=record.key,
        project=project,
        spec=spec,
        provider=provider,
        box=box,
    )
    return context.machines.change(
        record.key,
        plan=msgspec.structs.replace(plan, disks=record.plan.disks, box_files=record.plan.box_files),
        project_name=project.name,
        forward_agent=spec.ssh.forward_agent,
        **_account(spec, record),
    )


def _account(spec: MachineSpec, record: MachineRecord) -> dict[str, str]:
    """A user or key that the project names wins over what the machine has."""
    named: dict[str, str] = {}
    if spec.ssh.user:
        named["user"] = spec.ssh.user
    if spec.ssh.identity:
        named["identity"] = spec.ssh.identity
    return named


def _linked_box(record: MachineRecord) -> Box | None:
    """What the plan took from the box; from the plan itself, as the box may be gone from the store."""
    if record.box is None:
        return None
    plan = record.plan
    return Box(
        key=record.box,
        disks=plan.disks,
        files=plan.box_files,
        metadata=plan.box_metadata,
        firmware=plan.firmware,
    )

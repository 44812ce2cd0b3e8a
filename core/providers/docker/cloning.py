"""Copies of machines: what is in a container becomes an image, whose layers both go on to share."""

from __future__ import annotations

import secrets

import msgspec

from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.docker import containers, images
from core.providers.docker.context import Context, existing
from core.providers.docker.making import UNDO, checked, facts, make


async def clone(context: Context, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
    """``plan`` becomes a stopped copy of ``source``, which may run and stands still for a moment."""
    options = checked(plan)
    async with context.changing(source) as (daemon, record, subject):
        origin = existing(source, record)
        before = subject.known
        row = await containers.row(daemon, source.id, origin.container)
        paused = origin.container if row is not None and row.state == "running" else ""
        work.intend(UNDO, paused=paused, **facts(plan, daemon))
        made = await images.commit(daemon, origin.container, plan.id, f"copy-{secrets.token_hex(4)}")
        subject.known = before
    image = msgspec.structs.replace(await images.look(daemon, made, origin.shown), config=origin.runs)
    await make(context, daemon, plan, options, image, work)

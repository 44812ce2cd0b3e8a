"""Runs a plan: its sources side by side, each with its own steps and output."""

from __future__ import annotations

import asyncio
import re
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.builds.artifact import Artifact
from core.builds.asking import Ask
from core.builds.base import Request
from core.builds.checking import mistakes
from core.builds.layers import Layer, LayerStore
from core.builds.plan import Again, BuildPlan, PlannedSource
from core.builds.redaction import RedactedWork, Redaction
from core.builds.scene import Scene, Show
from core.builds.selection import select
from core.builds.source_run import SourceRun
from core.builds.undo import SWEEP, sweep
from core.errors import BoxwrightError, ConfigError
from core.model.problem import Problem
from core.model.work import Work
from core.paths import Locations

if TYPE_CHECKING:
    from core.boxes.store import BoxStore


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What one source came to."""

    source: str
    artifacts: tuple[Artifact, ...] = ()


class BuildError(BoxwrightError):
    """Several sources of a build failed, or the plan has several mistakes."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        first = problems[0]
        tail = tuple(f"{one.place}: {one.what}" if one.place else one.what for one in problems)
        super().__init__(what, why=first.what, remedy=first.remedy, place=first.place, tail=tail)
        self.problem = msgspec.structs.replace(self.problem, others=tuple(problems), code=first.code)


async def run_plan(
    plan: BuildPlan,
    request: Request,
    *,
    locations: Locations,
    store: BoxStore,
    project: str,
    work: Work,
    ask: Ask | None = None,
    show: Show | None = None,
    again: Again | None = None,
) -> tuple[Made, ...]:
    """Build all sources that are meant. One that fails does not stop the others. ``again``: the plan as it
    is described when a failed step is retried.

    Raises ConfigError or BuildError for what is wrong with the plan, before anything begins; NotFoundError
    for a wrong word in the request; what a source raised where one failed, BuildError where several did.
    """
    plan = select(plan, request.only, request.exclude)
    shown = RedactedWork(work, Redaction(plan.secrets))
    layers = LayerStore(locations.layers)
    run = str(uuid.uuid4())
    if request.on_error != "ask" and not request.debug:
        # Nobody said that somebody is there.
        ask = None
    scenes = [_scene(plan, one, request, locations, store, project, run, ask, show) for one in plan.sources]
    try:
        await asyncio.to_thread(check, plan, scenes)
    except BoxwrightError as error:
        raise _hidden(error, plan) from None
    limit = asyncio.Semaphore(1 if request.debug else request.parallel or len(scenes))

    async def make(one: PlannedSource, scene: Scene) -> Made:
        async with limit, shown.step(one.display) as step:
            source_run = SourceRun(plan, one, request, scene, layers, ask, again)
            return Made(source=one.display, artifacts=await source_run.make(step))

    try:
        tasks = [
            asyncio.ensure_future(make(one, scene)) for one, scene in zip(plan.sources, scenes, strict=True)
        ]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        return _outcome(tasks)
    finally:
        layers.release()
        await asyncio.shield(prune(layers, shown))


async def prune(layers: LayerStore, work: Work, limit: int | None = None) -> tuple[Layer, ...]:
    """As :meth:`LayerStore.prune`, with what the layers keep elsewhere."""
    intent = work.intend(SWEEP, layers=str(layers.folder))
    removed = await asyncio.to_thread(layers.prune, limit)
    await sweep({"layers": str(layers.folder)})
    intent.settle()
    return removed


def _outcome(tasks: Sequence[asyncio.Future[Made]]) -> tuple[Made, ...]:
    errors = [error for task in tasks if (error := task.exception()) is not None]
    for error in errors:
        if not isinstance(error, BoxwrightError) or len(errors) == 1:
            raise error
    if errors:
        known = [error.problem for error in errors if isinstance(error, BoxwrightError)]
        raise BuildError(f"{len(errors)} of {len(tasks)} sources failed.", known)
    return tuple(task.result() for task in tasks)


def check(plan: BuildPlan, scenes: Sequence[Scene]) -> None:
    """Every part of the plan, before anything begins. Raises ConfigError; BuildError for several mistakes."""
    problems = mistakes(plan, scenes)
    if len(problems) == 1:
        only = problems[0]
        wrong = ConfigError(only.what, why=only.why, remedy=only.remedy, place=only.place, tail=only.tail)
        wrong.problem = only
        raise wrong
    if problems:
        raise BuildError(f"{len(problems)} things are wrong with this build.", problems)


def _hidden(error: BoxwrightError, plan: BuildPlan) -> BoxwrightError:
    error.problem = Redaction(plan.secrets).problem(error.problem)
    return error


def _scene(
    plan: BuildPlan,
    one: PlannedSource,
    request: Request,
    locations: Locations,
    store: BoxStore,
    project: str,
    run: str,
    ask: Ask | None,
    show: Show | None,
) -> Scene:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", f"{plan.name}-{one.label}")[:40]
    return Scene(
        locations=locations,
        store=store,
        world=plan.world,
        folder=Path(locations.builds) / f"{name}-{secrets.token_hex(4)}",
        project=project,
        build=one.build,
        source=one.name,
        kind=one.kind,
        steps=len(one.steps),
        force=request.force,
        facts={"PackerRunUUID": run},
        secrets=plan.secrets,
        ask=ask,
        show=show,
    )

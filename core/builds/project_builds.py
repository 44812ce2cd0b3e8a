"""Runs a build of a project, in whichever language it is described, or a template by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.builds import from_project, from_template
from core.builds.artifact import BOX
from core.builds.asking import Ask
from core.builds.base import Request
from core.builds.data.asking import AskedInBuild
from core.builds.fingerprint import build_spec, fingerprint
from core.builds.plan import BuildPlan, PlannedPost
from core.builds.run import Made, run_plan
from core.builds.scene import Show
from core.builds.versions import next_version
from core.errors import BoxwrightError
from core.model.box import Box
from core.model.project import BuildSpec, Project
from core.model.work import Work
from core.paths import Locations
from core.projects.reader import load
from core.templates.given import Given

if TYPE_CHECKING:
    from core.boxes.store import BoxStore


async def run_build(
    *,
    project: Project,
    name: str,
    locations: Locations,
    store: BoxStore,
    work: Work,
    request: Request | None = None,
    given: Given | None = None,
    ask: Ask | None = None,
    show: Show | None = None,
    providers: Sequence[str] = (),
) -> Box:
    """Make the box ``<project>/<name>`` with the next whole number as its version, and return it.

    ``providers``: who wants a box; without any all that the build makes are made.

    Whether one is up to date already is the caller's to ask: ``store.find_build(fingerprint(...))``.
    When this raises or is cancelled, what it made goes with its intents, which the caller undoes.

    Raises NotFoundError for a build or a provisioner's file that is not there, BoxwrightError for all
    that can go wrong on the way.
    """
    spec = build_spec(project, name)
    mark = await asyncio.to_thread(fingerprint, project, name)
    version = str(next_version(store, f"{project.name}/{name}"))

    async def again(work: Work) -> BuildPlan:
        now = await asyncio.to_thread(load, project.root)
        return await planned(now, build_spec(now, name), work)

    async def planned(project: Project, spec: BuildSpec, work: Work) -> BuildPlan:
        if spec.source is not None:
            return from_project.plan_of(project, name, spec, mark, version, providers)
        template = Path(project.root) / spec.template
        return await template_plan(template, name, given or Given(cwd=project.root), work)

    plan = await planned(project, spec, work)
    if spec.source is None:
        plan = _into_store(plan, f"{project.name}/{name}", mark, spec.description, store)
    made = await run_plan(
        plan,
        request or Request(),
        locations=locations,
        store=store,
        project=project.name,
        work=work,
        ask=ask,
        show=show,
        again=again,
    )
    return _box(store, made)


async def template_plan(path: Path, name: str, given: Given, work: Work) -> BuildPlan:
    """The plan of a template, whose sources of data are asked.

    Raises TemplateError with all that is wrong, NotFoundError, ConfigError.
    """
    from core.templates import load

    async with AskedInBuild(work, given.environment) as ask:
        reading = await asyncio.to_thread(load, path, given, ask=ask)
    return from_template.plan_of(reading, name, given.world(Path(reading.template.root)))


def _into_store(plan: BuildPlan, name: str, mark: str, description: str, store: BoxStore) -> BuildPlan:
    """With a post-processor more for each source: what it makes becomes a box, all of one version."""
    settings = {
        "name": name,
        "version": str(next_version(store, name)),
        "fingerprint": mark,
        "description": description,
    }
    sources = []
    for source in plan.sources:
        box = PlannedPost(id=f"{source.id}.box", kind=from_project.BOX, settings=settings)
        sources.append(msgspec.structs.replace(source, chains=(*source.chains, (box,))))
    return msgspec.structs.replace(plan, sources=tuple(sources))


def _box(store: BoxStore, made: Sequence[Made]) -> Box:
    keys = {
        (artifact.facts["box"], artifact.facts["version"])
        for one in made
        for artifact in one.artifacts
        if artifact.maker == BOX
    }
    for box in store.list():
        if (box.name, box.version) in keys:
            return box
    raise BoxwrightError("The build made no box.")

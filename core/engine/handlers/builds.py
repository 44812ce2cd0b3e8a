"""Builds: running them, and how they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.engine.context import Context
from core.engine.handlers.boxes import told_of
from core.engine.handlers.naming import build_subject
from core.errors import ProviderError, UsageError
from core.model import command as commands
from core.model.box import Box
from core.model.event import ProjectChanged
from core.model.project import Project
from core.model.query import BuildView
from core.model.work import Work

if TYPE_CHECKING:
    from core.builds.base import Request
    from core.builds.plan import BuildPlan
    from core.builds.run import Made
    from core.templates.given import Given


async def run(context: Context, command: commands.RunBuild, work: Work) -> dict[str, Any]:
    """The result: see :class:`core.model.command.RunBuild`."""
    if command.template:
        return await _run_template(context, command, Path(command.template), work)
    project = context.projects.load(command.project)
    spec = project.builds[command.name]
    if spec.template and not project.has_own_file:
        return await _run_template(context, command, Path(project.root, spec.template), work)
    box = _complete(context, project, command.name)
    given = await _inputs(context, project, command, work)
    if box is not None and not (command.force or command.no_cache):
        if given == _last_inputs(context, project, command.name):
            work.cached(f"{box.key} is up to date")
            return told_of(context, box)
        work.note("other variables, or a source of data finds something else than the last time")
    outcome = told_of(context, await _build(context, project, command, given, work))
    work.note(outcome["text"])
    return outcome


async def _run_template(
    context: Context, command: commands.RunBuild, path: Path, work: Work
) -> dict[str, Any]:
    import asyncio

    from core.builds import last_made
    from core.builds.fingerprint import template_fingerprint
    from core.builds.project_builds import template_plan
    from core.builds.run import run_plan

    subject = build_subject(command.project, command.name)
    mark = await asyncio.to_thread(template_fingerprint, path, Path(command.project))

    def planned(work: Work) -> Awaitable[BuildPlan]:
        return template_plan(path, command.name, _given(command), work)

    made = await run_plan(
        await planned(work),
        _request(command),
        locations=context.locations,
        store=context.boxes,
        project=Path(command.project).name,
        work=work,
        ask=context.asker(subject, work),
        show=context.screens.shower(subject),
        again=planned,
    )
    context.boxes_changed()
    left = [artifact for one in made for artifact in one.artifacts]
    partly = command.only or command.exclude
    await asyncio.to_thread(
        last_made.remember, context.locations.layers, subject, "" if partly else mark, left
    )
    return {"artifacts": _artifacts(made)}


async def answer(context: Context, command: commands.AnswerBuild, work: Work) -> dict[str, str]:
    """The result: see :class:`core.model.command.AnswerBuild`."""
    more = context.questions.answer(build_subject(command.project, command.name), command.answer)
    return {"asks": more.text} if more is not None else {}


async def prune_layers(context: Context, command: commands.PruneLayers, work: Work) -> dict[str, Any]:
    from core.builds.layers import LayerStore
    from core.builds.run import prune
    from core.builds.undo import remove_kept
    from core.model.project import parse_size

    store = LayerStore(context.locations.layers)
    try:
        limit = parse_size(command.keep) if command.keep else None
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    removed = await prune(store, work, limit)
    freed = sum(layer.size for layer in removed)
    left = await remove_kept(context.locations.builds) if command.kept else 0
    if left:
        for root in context.projects.known():
            context.publish(ProjectChanged(root))
    work.note(
        f"{len(removed)} removed, {freed / 1e6:.0f} MB freed" + (f", {left} kept builds" if left else "")
    )
    return {"removed": [{"layer": one.id, "bytes": one.size} for one in removed], "freed": freed}


def _artifacts(made: Sequence[Made]) -> list[dict[str, Any]]:
    return [
        {"source": one.source, "id": artifact.id, "text": artifact.text, "files": list(artifact.files)}
        for one in made
        for artifact in one.artifacts
    ]


def _request(command: commands.RunBuild) -> Request:
    from core.builds.base import Request

    return Request(
        only=_words(command.only),
        exclude=_words(command.exclude),
        parallel=command.parallel,
        on_error=command.on_error or "cleanup",
        force=command.force,
        debug=command.debug,
        no_cache=command.no_cache,
    )


def _words(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.strip() for text in given for word in text.split(",") if word.strip())


def _given(command: commands.RunBuild) -> Given:
    import time

    from core.templates.given import Given, assignment

    return Given(
        variables=tuple(assignment(text) for text in command.variables),
        files=command.variable_files,
        environment=command.environment,
        cwd=command.cwd or command.project,
        clock=time.time(),
    )


async def fresh_box(
    context: Context, project: Project, name: str, providers: Sequence[str], work: Work
) -> Box:
    """The box of a build for one of these providers, built now when it is missing or stale."""
    async with work.step(f"Build {name}") as step:
        box = _up_to_date(context, project, name, providers)
        if box is not None:
            step.cached(f"{box.key} is up to date")
            return box
        async with context.hold(build_subject(project.root, name), "build", step):
            # Whoever held the build until now may just have made it.
            if _up_to_date(context, project, name, providers) is None:
                asked = commands.RunBuild(project=project.root, name=name)
                given = await _inputs(context, project, asked, step)
                await _build(context, project, asked, given, step, providers=providers)
        box = _up_to_date(context, project, name, providers)
        if box is None:
            raise ProviderError(
                f"The build {name} makes no box for {' or '.join(providers)}.",
                remedy=f'add formats = ["{providers[0]}"] to [builds.{name}]',
            )
        return box


async def _build(
    context: Context,
    project: Project,
    command: commands.RunBuild,
    given: str,
    work: Work,
    providers: Sequence[str] = (),
) -> Box:
    """``given``: see :func:`_inputs`. ``providers``: of the machine that needs the box; it asks nobody."""
    from core.builds import inputs
    from core.builds.project_builds import run_build

    subject = build_subject(project.root, command.name)
    box = await run_build(
        project=project,
        name=command.name,
        locations=context.locations,
        store=context.boxes,
        work=work,
        request=_request(command),
        given=_given(command),
        ask=None if providers else context.asker(subject, work),
        show=context.screens.shower(subject),
        providers=providers,
    )
    if given or _last_inputs(context, project, command.name):
        inputs.remember(context.locations.layers, subject, given)
    context.boxes_changed()
    return box


async def _inputs(context: Context, project: Project, command: commands.RunBuild, work: Work) -> str:
    """What a build is given besides its files, as a digest."""
    from core.builds import inputs
    from core.builds.layers import LayerStore

    template = project.builds[command.name].template
    if not template:
        return ""
    salt = LayerStore(context.locations.layers).salt
    return await inputs.digest(Path(project.root, template), _given(command), salt, work)


def _last_inputs(context: Context, project: Project, name: str) -> str:
    from core.builds import inputs

    return inputs.remembered(context.locations.layers, build_subject(project.root, name))


def _up_to_date(context: Context, project: Project, name: str, providers: Sequence[str] = ()) -> Box | None:
    from core.builds.fingerprint import fingerprint

    return context.boxes.find_build(fingerprint(project, name), providers)


def _complete(context: Context, project: Project, name: str) -> Box | None:
    """A box of the build, where all that it makes are up to date."""
    wanted = [one for makes in project.builds[name].makes.values() for one in makes]
    found = [_up_to_date(context, project, name, (provider,)) for provider in wanted]
    return _up_to_date(context, project, name) if all(found) else None


def build_views(context: Context, project: Project) -> tuple[BuildView, ...]:
    """How each build of a project stands; which of them run, the engine adds."""
    return tuple(_view(context, project, name) for name in project.builds)


def _view(context: Context, project: Project, name: str) -> BuildView:
    from core.builds import kept

    spec = project.builds[name]
    if spec.template and not project.has_own_file:
        view = _template_view(context, project, name)
    else:
        made = [box for box in context.known_boxes() if box.name == f"{project.name}/{name}"]
        latest = max(made, key=lambda box: box.added, default=None)
        fresh = _complete(context, project, name)
        box = fresh or latest
        view = BuildView(
            name=name,
            description=spec.description,
            state="fresh" if fresh else "stale" if latest else "missing",
            box=box,
            made=box.added if box else 0.0,
        )
    subject = build_subject(project.root, name)
    question = context.questions.of(subject)
    if question is not None:
        view = msgspec.structs.replace(
            view,
            question=question.text,
            answers=question.answers,
            asked=question.asked,
            failure=question.problem,
            files=question.files,
            endpoint=question.endpoint,
        )
    elif view.state != "running":
        left = kept.find(context.locations.builds, str(project.root), name)
        view = msgspec.structs.replace(view, endpoint=left.endpoint if left else None)
    return msgspec.structs.replace(view, screens=context.screens.of(subject))


def _template_view(context: Context, project: Project, name: str) -> BuildView:
    """By what it left the last time, as that need not be a box of the store."""
    from core.builds import last_made
    from core.builds.fingerprint import template_fingerprint

    made = last_made.recall(context.locations.layers, build_subject(project.root, name))
    if made is None:
        return BuildView(name=name)
    there = made.there
    boxes = {f"{box.name} {box.version}": box for box in context.known_boxes()}
    mark = template_fingerprint(Path(project.root, project.builds[name].template), Path(project.root))
    return BuildView(
        name=name,
        state=made.state(mark),
        box=next((boxes[one.box] for one in there if one.box in boxes), None),
        made=made.when if there else 0.0,
        artifacts=tuple(one.words for one in there),
        box_files=tuple(file for one in there for file in one.files if file.endswith(".box")),
    )

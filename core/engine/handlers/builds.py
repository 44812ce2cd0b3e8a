"""Builds: running them, and how they stand."""

from __future__ import annotations

from core.engine.context import Context
from core.engine.handlers.naming import build_subject
from core.model import command as commands
from core.model.box import Box
from core.model.project import Project
from core.model.query import BuildView
from core.model.work import Work


async def run(context: Context, command: commands.RunBuild, work: Work) -> dict[str, str]:
    """The result: {"box": name, "version": version}."""
    project = context.projects.load(command.project)
    box = _up_to_date(context, project, command.name)
    if box is not None and not command.force:
        work.cached(f"{box.key} is up to date")
    else:
        box = await _build(context, project, command.name, work)
    return {"box": box.name, "version": box.version}


async def fresh_box(context: Context, project: Project, name: str, work: Work) -> Box:
    """The box of a build, built now when it is missing or stale."""
    async with work.step(f"Build {name}") as step:
        box = _up_to_date(context, project, name)
        if box is not None:
            step.cached(f"{box.key} is up to date")
            return box
        async with context.hold(build_subject(project.root, name), "build", step):
            # Whoever held the build until now may just have made it.
            return _up_to_date(context, project, name) or await _build(context, project, name, step)


async def _build(context: Context, project: Project, name: str, work: Work) -> Box:
    from core.builds.run import run_build

    box = await run_build(
        project=project, name=name, locations=context.locations, store=context.boxes, work=work
    )
    context.boxes_changed()
    return box


def _up_to_date(context: Context, project: Project, name: str) -> Box | None:
    from core.builds.fingerprint import fingerprint

    return context.boxes.find_build(fingerprint(project, name))


def build_views(context: Context, project: Project) -> tuple[BuildView, ...]:
    """How each build of a project stands; which of them run, the engine adds."""
    return tuple(_view(context, project, name) for name in project.builds)


def _view(context: Context, project: Project, name: str) -> BuildView:
    made = [box for box in context.known_boxes() if box.name == f"{project.name}/{name}"]
    latest = max(made, key=lambda box: box.added, default=None)
    fresh = _up_to_date(context, project, name)
    state = "fresh" if fresh else "stale" if latest else "missing"
    return BuildView(
        name=name, description=project.builds[name].description, state=state, box=fresh or latest
    )

"""The box that a machine needs: from the store, from the project's own build, or added now."""

from __future__ import annotations

from pathlib import Path

from core.engine.context import Context
from core.engine.handlers.builds import fresh_box
from core.errors import ConfigError
from core.model import command as commands
from core.model.box import Box
from core.model.project import BoxReference, MachineSpec, Project
from core.model.work import Work
from core.providers.base import Provider


async def box_for(
    context: Context, project: Project, spec: MachineSpec, provider: Provider, work: Work
) -> Box:
    """Find it, build it or add it. Raises BoxwrightError where it is not to be had."""
    if isinstance(spec.box, BoxReference):
        assert spec.box.build is not None  # Images are no boxes: see BoxReference.options.
        return await fresh_box(context, project, spec.box.build, provider.box_formats, work)
    request = _request(project, spec, provider)
    async with work.step(f"Box {spec.box}") as step:
        found = _in_store(context, request, provider)
        if found is not None:
            step.cached(f"{found.version} is in the store")
            return found
        from core.boxes.actions import add_box

        async with context.hold(f"box:{request.name or request.source}", "add", step):
            found = _in_store(context, request, provider)
            if found is None:
                found = await add_box(
                    context.boxes, request, providers=provider.box_formats, linked={}, work=step
                )
                context.boxes_changed()
        return found


def _request(project: Project, spec: MachineSpec, provider: Provider) -> commands.AddBox:
    """What ``box add`` would be told. A file or URL as the box is at once its source and its name."""
    assert isinstance(spec.box, str)
    source = spec.box_url or spec.box
    local = Path(project.root, source).expanduser()
    is_file = "://" not in source and (source.startswith((".", "/", "~")) or local.is_file())
    if is_file:
        if not local.is_file():
            raise ConfigError(f"There is no file {local} for the box.", why=f"The project says {source!r}.")
        source = str(local.resolve())
    named = bool(spec.box_url) or not (is_file or "://" in source)
    return commands.AddBox(
        source=source,
        name=spec.box if named else "",
        version=spec.version,
        provider=",".join(provider.box_formats),
        architecture=spec.architecture,
        checksum=spec.checksum,
    )


def _in_store(context: Context, request: commands.AddBox, provider: Provider) -> Box | None:
    if request.name:
        return context.boxes.find(request.name, request.version, provider.box_formats, request.architecture)
    urls = {request.source, Path(request.source).as_uri() if request.source.startswith("/") else ""}
    same = [
        box for box in context.known_boxes() if box.url in urls and box.key.provider in provider.box_formats
    ]
    return max(same, key=lambda box: box.added, default=None)

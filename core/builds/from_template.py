"""From a template, JSON or HCL2, to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from core.builds.plan import BuildPlan, PlannedPost, PlannedSource, PlannedStep
from core.builds.settings import duration
from core.errors import ConfigError
from core.templates.functions.signature import Place as World
from core.templates.model import Build, BuildSource, PostProcessor, Secret, Settings, Step, Template
from core.templates.reading import Reading

_ALWAYS = {"access_key", "secret_key", "token", "winrm_password", "elevated_password"}
"""Settings whose texts are not shown, marked or not."""


def plan_of(reading: Reading, name: str, world: World) -> BuildPlan:
    """Every source of every build of the template. Raises ConfigError."""
    template = reading.template
    sources = tuple(_source(template, build, source) for build in template.builds for source in build.sources)
    if not sources:
        raise ConfigError("The template has no build.", why="There is nothing to do.")
    return BuildPlan(
        name=name,
        world=world,
        sources=sources,
        secrets=tuple(dict.fromkeys(_secrets(template))),
        resolve=reading.settings,
        written=reading.written,
    )


def _source(template: Template, build: Build, source: BuildSource) -> PlannedSource:
    label = source.name if template.language == "json" else source.address
    ids = {source.name, label}
    return PlannedSource(
        id=source.id,
        kind=source.kind,
        name=source.name,
        settings=source.settings,
        place=source.place,
        build=build.name,
        label=label,
        steps=tuple(_step(step, source) for step in build.provisioners if _meant(step, ids)),
        on_error=_step(build.on_error, source) if build.on_error and _meant(build.on_error, ids) else None,
        chains=tuple(chain for chain in (_chain(chain, ids) for chain in build.post_processors) if chain),
    )


def _meant(part: Step | PostProcessor, ids: set[str]) -> bool:
    if part.only:
        return bool(ids & set(part.only))
    return not ids & set(part.exclude)


def _step(step: Step, source: BuildSource) -> PlannedStep:
    override: Settings = {}
    for name in (source.name, source.address):
        override |= step.override.get(name, {})
    pause = override.pop("pause_before", step.pause_before)
    return PlannedStep(
        id=step.id,
        kind=step.kind,
        name=step.name,
        settings=step.settings,
        override=override,
        place=step.place,
        pause_before=duration(pause, "pause_before", step.place) if pause else 0.0,
        max_retries=step.max_retries,
        timeout=duration(step.timeout, "timeout", step.place) if step.timeout else 0.0,
    )


def _chain(chain: tuple[PostProcessor, ...], ids: set[str]) -> tuple[PlannedPost, ...]:
    return tuple(
        PlannedPost(
            id=one.id,
            kind=one.kind,
            name=one.name,
            settings=one.settings,
            place=one.place,
            keep_input=one.keep_input_artifact,
        )
        for one in chain
        if _meant(one, ids)
    )


def _secrets(template: Template) -> Iterator[str]:
    """Every text that is marked as sensitive, wherever it stands."""
    for variable in template.variables:
        if variable.sensitive:
            yield from _texts(variable.value)
    for local in template.locals:
        if local.sensitive:
            yield from _texts(local.value)
    parts: list[Any] = [*template.sources]
    for build in template.builds:
        parts += [*build.sources, *build.provisioners, *([build.on_error] if build.on_error else [])]
        parts += [one for chain in build.post_processors for one in chain]
    for part in parts:
        yield from _marked(part.settings)
        for name in _ALWAYS & part.settings.keys():
            yield from _texts(part.settings[name])


def _marked(data: Any) -> Iterator[str]:
    if isinstance(data, Secret):
        yield from _texts(data.reveal())
    elif isinstance(data, dict | list | tuple):
        for item in _items(data):
            yield from _marked(item)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, Secret):
        yield from _texts(data.reveal())
    elif isinstance(data, dict | list | tuple):
        for item in _items(data):
            yield from _texts(item)
    elif data not in (None, "") and not isinstance(data, bool):
        yield str(data)


def _items(data: dict[str, Any] | list[Any] | tuple[Any, ...]) -> Iterable[Any]:
    return data.values() if isinstance(data, dict) else data

"""Drafts of the builds of ``boxwright.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ConfigError, NotFoundError
from core.model.problem import Place
from core.model.project import Bootstrap, BuildSpec, DockerSource, LxdSource, ProjectFile, Provision
from core.templates.converting.draft import Draft, DraftBlock, DraftBuild
from core.templates.converting.losses import Losses


def draft(path: Path, losses: Losses) -> Draft:
    """Raises ConfigError where the file is wrong, NotFoundError where there is none."""
    place = Place(file=str(path))
    try:
        project = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), ProjectFile)
    except FileNotFoundError:
        raise NotFoundError(f"There is no {path}.") from None
    except (OSError, ValueError, msgspec.ValidationError, RecursionError) as error:
        raise ConfigError(
            "The project file cannot be read.", why=str(error), remedy="boxwright validate", place=place
        ) from None
    if project.machines:
        losses.add(f"The machines ({', '.join(project.machines)}) are left out: templates have none.", place)
    builds = {name: build for name, build in project.builds.items() if build.source is not None}
    for name in project.builds.keys() - builds.keys():
        losses.add(f"The build {name} is left out: it is a template already.", place)
    if not builds:
        raise ConfigError("The project has no builds.", place=place, remedy="add a table [builds.NAME]")
    return Draft(
        sources=tuple(_source(name, build, place, losses) for name, build in builds.items()),
        builds=tuple(_build(name, build, place, losses) for name, build in builds.items()),
    )


def _source(name: str, build: BuildSpec, place: Place, losses: Losses) -> DraftBlock:
    assert build.source is not None
    found: dict[str, dict[str, Any]] = {}
    if build.source.bootstrap is not None:
        found["bootstrap"] = {
            **_given(build.source.bootstrap, Bootstrap(suite="")),
            "cpus": build.cpus,
            "memory": build.memory,
            "formats": list(build.formats),
        }
    if build.source.docker is not None:
        found["docker"] = {**_given(build.source.docker, DockerSource()), "commit": True}
    if build.source.lxd is not None:
        found["lxd"] = _given(build.source.lxd, LxdSource(image=""))
    (kind, settings), *others = found.items()
    for other, _ in others:
        losses.add(f'The source "{other}" of the build {name} is left out: it has another one.', place)
    return DraftBlock(kind=kind, name=name, settings=settings, place=place)


def _given(table: msgspec.Struct, defaults: msgspec.Struct) -> dict[str, Any]:
    """What of it was written."""
    found = {}
    for key, value in msgspec.structs.asdict(table).items():
        if value != getattr(defaults, key):
            found[key] = list(value) if isinstance(value, tuple) else value
    return found


def _build(name: str, build: BuildSpec, place: Place, losses: Losses) -> DraftBuild:
    steps = tuple(_step(step, place, losses) for step in build.provision)
    return DraftBuild(
        name=name, description=build.description, sources=(name,), provisioners=steps, place=place
    )


def _step(step: Provision, place: Place, losses: Losses) -> DraftBlock:
    settings: dict[str, Any] = {}
    if step.file is not None:
        settings = {"source": step.file, "destination": step.to}
        if step.mode:
            losses.add(f"The mode {step.mode} of {step.to} is left out.", place)
    else:
        if step.shell is not None:
            settings["inline"] = step.shell.rstrip("\n").split("\n")
        else:
            settings["script"] = step.script
        if step.env:
            settings["environment_vars"] = [f"{key}={value}" for key, value in step.env.items()]
        for key in ("args", "cwd"):
            if getattr(step, key):
                losses.add(f'"{key}" of a shell provisioner is left out.', place)
    if step.run != "once":
        losses.add(f'run = "{step.run}" is left out: provisioners of templates run once.', place)
    common = {"timeout": f"{step.timeout:g}s"} if step.timeout else {}
    return DraftBlock(
        kind="file" if step.file is not None else "shell", settings=settings, common=common, place=place
    )

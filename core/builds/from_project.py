"""From a build of ``boxwright.toml`` to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core.builds.plan import BuildPlan, PlannedPost, PlannedSource, PlannedStep
from core.model.project import BuildSpec, Project
from core.provisioners.run import title
from core.templates.functions.signature import Place as World

STEP = "provision"
"""Kind of a step that is a provisioner of machines."""
BOX = "box"
"""Kind of the post-processor that puts a box into the store."""


def plan_of(
    project: Project,
    name: str,
    spec: BuildSpec,
    fingerprint: str,
    version: str,
    providers: Sequence[str] = (),
) -> BuildPlan:
    """One source or two, their provisioners, and the boxes of one version that come of them.

    ``providers``: only what makes a box for one of these, where something does.
    """
    steps = tuple(
        PlannedStep(
            id=f"provision.{number}",
            kind=STEP,
            name=title(provision),
            settings=msgspec.to_builtins(provision),
        )
        for number, provision in enumerate(spec.provision)
    )
    box = PlannedPost(
        id="box",
        kind=BOX,
        settings={
            "name": f"{project.name}/{name}",
            "description": spec.description,
            "fingerprint": fingerprint,
            "version": version,
        },
    )
    meant = {kind for kind, makes in spec.makes.items() if set(makes) & set(providers)}
    found = {kind: settings for kind, settings in _settings(spec).items() if not meant or kind in meant}
    sources = tuple(
        PlannedSource(
            id="source" if len(found) == 1 else f"source.{kind}",
            kind=kind,
            name=name,
            label=name if len(found) == 1 else f"{kind}.{name}",
            settings=settings,
            steps=steps,
            chains=((box,),),
        )
        for kind, settings in found.items()
    )
    return BuildPlan(name=name, world=World(root=project.root, cwd=project.root), sources=sources)


def _settings(spec: BuildSpec) -> dict[str, dict[str, Any]]:
    """The settings of each source, by its kind."""
    assert spec.source is not None
    found: dict[str, dict[str, Any]] = {}
    bootstrap: dict[str, Any] = msgspec.to_builtins(spec.source.bootstrap) or {}
    if bootstrap:
        more = {"cpus": spec.cpus, "memory": spec.memory, "output_directory": "", "formats": spec.formats}
        found["bootstrap"] = {**bootstrap, **more}
    if spec.source.docker is not None:
        given: dict[str, Any] = msgspec.to_builtins(spec.source.docker)
        docker = {key: value for key, value in given.items() if value not in ("", (), [], {})}
        if not spec.source.docker.image:
            docker["bootstrap"] = bootstrap
        found["docker"] = {**docker, "commit": True}
    if spec.source.lxd is not None:
        # The image only serves to make the box: it gets no name, and goes.
        lxd: dict[str, Any] = msgspec.to_builtins(spec.source.lxd)
        if not spec.source.lxd.image:
            lxd["bootstrap"] = bootstrap
        found["lxd"] = {**lxd, "output_image": ""}
    return found

"""From a build of ``boxwright.toml`` to a plan."""

from __future__ import annotations

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


def plan_of(project: Project, name: str, spec: BuildSpec, fingerprint: str) -> BuildPlan:
    """One source, its provisioners, and the box that comes of it."""
    assert spec.source is not None and spec.source.bootstrap is not None
    settings: dict[str, Any] = msgspec.to_builtins(spec.source.bootstrap)
    settings |= {"cpus": spec.cpus, "memory": spec.memory, "output_directory": "", "formats": spec.formats}
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
            "architecture": spec.source.bootstrap.architecture,
        },
    )
    source = PlannedSource(
        id="source",
        kind="bootstrap",
        name=name,
        label=name,
        settings=settings,
        steps=steps,
        chains=((box,),),
    )
    return BuildPlan(name=name, world=World(root=project.root, cwd=project.root), sources=(source,))

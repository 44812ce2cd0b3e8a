"""Runs the chains of post-processors of one source, and decides which artifacts stay, as Packer does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.builds.artifact import Artifact
from core.builds.plan import BuildPlan, PlannedPost, PlannedSource
from core.builds.registry import post_processor
from core.builds.scene import Scene
from core.model.work import Work


async def run_chains(
    artifact: Artifact, plan: BuildPlan, source: PlannedSource, scene: Scene, work: Work
) -> tuple[Artifact, ...]:
    """The artifacts that are left: the source's own comes first where it stays."""
    if not source.chains:
        return (artifact,)
    left: list[Artifact] = []
    keep_first = False
    for chain in source.chains:
        kept, keep = await _chain(artifact, chain, plan, source, scene, work)
        left += [one for one in kept if one is not artifact]
        keep_first = keep_first or keep
    if keep_first:
        return (artifact, *left)
    mine = {file for one in left for file in one.files}
    if not mine & set(artifact.files):
        await artifact.remove()
        gone = sorted(
            {_gone(Path(file)) for file in artifact.files if scene.folder not in Path(file).parents}
        )
        if gone:
            work.note(f"not kept, as a post-processor took it: {', '.join(gone)}")
    return tuple(left)


def _gone(file: Path) -> str:
    """A file that was removed, or with it the folder in which it was alone."""
    return str(file if file.parent.exists() else file.parent)


async def _chain(
    first: Artifact,
    chain: Sequence[PlannedPost],
    plan: BuildPlan,
    source: PlannedSource,
    scene: Scene,
    work: Work,
) -> tuple[list[Artifact], bool]:
    """What is left of one chain, and whether the source's own artifact is to stay."""
    left: list[Artifact] = []
    keep_first = False
    artifact = first
    for number, one in enumerate(chain):
        async with work.step(f"Post-process  {one.title}") as step:
            settings = plan.settings(source, one, scene.facts)
            processor = post_processor(one.kind, one.place)
            processor.check(settings, scene)
            outcome = await processor.run(artifact, settings, scene, step)
            if outcome.artifact is not None and outcome.artifact.text:
                step.note(outcome.artifact.text.replace("\n", " "))
        keep = outcome.keep if one.keep_input is None else one.keep_input
        if outcome.must_keep:
            keep = True
        if number == 0:
            keep_first = keep
        elif keep:
            left.append(artifact)
        elif outcome.artifact is None or not set(artifact.files) & set(outcome.artifact.files):
            await artifact.remove()
        if outcome.artifact is None:
            return left, keep_first
        artifact = outcome.artifact
    return [*(one for one in left if one is not artifact), artifact], keep_first

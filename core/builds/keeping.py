"""Artifacts of earlier runs: whether they are in the way, and whether those not in files are still there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.builds.artifact import Artifact
from core.builds.base import Keeping, Replacing
from core.builds.plan import Part, PlannedSource, waits
from core.builds.registry import post_processor, source
from core.builds.scene import Scene


async def refuse_existing(one: PlannedSource, scene: Scene) -> None:
    """Raise UsageError where something is there that the build would replace, and may not."""
    if scene.force:
        return
    for found, part in _parts(one):
        if isinstance(found, Replacing):
            await found.refuse_existing(part.whole, scene)


def lasting(artifacts: Sequence[Artifact], one: PlannedSource) -> bool:
    """Whether a later run can tell if all of them are still there."""
    keepers = [found for found, _ in _parts(one) if isinstance(found, Keeping)]
    return all(
        any(keeper.keeps(artifact) for keeper in keepers)
        or (artifact.files and artifact.remove_elsewhere is None)
        for artifact in artifacts
    )


async def missing(artifacts: Sequence[Artifact], one: PlannedSource, scene: Scene) -> Part | None:
    """The first part whose artifact of an earlier run is no more where it was left, as it was: the source
    before its post-processors. Of files the caller knows."""
    for found, part in _parts(one):
        if not isinstance(found, Keeping):
            continue
        for artifact in artifacts:
            if found.keeps(artifact) and not await found.remains(artifact, part.whole, scene):
                return part
    return None


def _parts(one: PlannedSource) -> Iterator[tuple[Any, Part]]:
    """The source and its post-processors, without those whose settings only the running build knows."""
    if not waits(one.settings):
        yield source(one.kind, one.place), one
    for post in one.posts:
        if not waits(post.settings):
            yield post_processor(post.kind, post.place), post

"""Runs one step of a build: its pause, its limit in time, its retries."""

from __future__ import annotations

import asyncio

from core.builds.plan import BuildPlan, PlannedSource, PlannedStep
from core.builds.registry import provisioner
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.work import Work

_LONGEST_PATH = 255
_BETWEEN = 1.0
"""Seconds before a step that failed is tried again."""


class StepTimeoutError(BoxwrightError):
    """A step took longer than it may."""


async def run_step(
    step: PlannedStep, plan: BuildPlan, source: PlannedSource, guest: Guest | None, scene: Scene, work: Work
) -> None:
    """Raises what its provisioner raises, the last time that it is tried."""
    if step.pause_before:
        work.note(f"pausing for {step.pause_before:g} s")
        await asyncio.sleep(step.pause_before)
        work.note("")
    for attempt in range(step.max_retries + 1):
        try:
            return await _once(step, plan, source, guest, scene, work)
        except BoxwrightError as error:
            if attempt == step.max_retries:
                raise
            work.note(f"failed, trying again ({attempt + 1} of {step.max_retries})")
            work.write(f"{error.problem.what} Trying again.\n".encode())
            await asyncio.sleep(_BETWEEN)
    raise AssertionError("a loop of at least one attempt")


def read_again(step: PlannedStep, scene: Scene) -> tuple[str, ...]:
    """Files of this computer that the step's settings name: they count as they are when it is run."""
    found: list[str] = []
    for value in step.whole.values():
        for text in value if isinstance(value, list | tuple) else (value,):
            if isinstance(text, str) and 0 < len(text) <= _LONGEST_PATH and not set("\0\n") & set(text):
                path = scene.path(text)
                if path.is_file() and str(path) not in found:
                    found.append(str(path))
    return tuple(found)


async def _once(
    step: PlannedStep, plan: BuildPlan, source: PlannedSource, guest: Guest | None, scene: Scene, work: Work
) -> None:
    one = provisioner(step.kind, step.place)
    settings = plan.settings(source, step, scene.facts)
    one.check(settings, scene)
    try:
        async with asyncio.timeout(step.timeout or None):
            await one.run(settings, guest, scene, work)
    except TimeoutError:
        raise StepTimeoutError(
            f"The step {step.title} took longer than {step.timeout:g} s and was ended.",
            why="It may wait for an answer that nobody can give.",
            remedy="give it a longer 'timeout'",
            place=step.place,
        ) from None

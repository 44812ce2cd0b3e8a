"""What is wrong with the settings of a plan's parts, as far as it is seen before anything begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.builds.from_template import plan_of
from core.builds.plan import BuildPlan, Part, PlannedSource, waits
from core.builds.redaction import Redaction
from core.builds.registry import kinds, post_processor, provisioner, source
from core.builds.scene import Scene
from core.builds.settings import SettingsError
from core.errors import BoxwrightError
from core.model.problem import ExitCode, Problem
from core.paths import locations
from core.templates.given import Given
from core.templates.problems import in_order
from core.templates.reading import Reading

_ABOUT = re.compile(r'"(\w+)" ')
"""How what is said of a setting begins."""


def mistakes(plan: BuildPlan, scenes: Sequence[Scene], *, known: bool = False) -> list[Problem]:
    """Each once; ``scenes`` are those of the sources. ``known``: without kinds that cannot be run."""
    problems: list[Problem] = []
    for one, scene in zip(plan.sources, scenes, strict=True):
        for find, part in _parts(one, known):
            try:
                found = find(part.kind, part.place)
                if not waits(part.settings):
                    found.check(part.whole, scene)
            except SettingsError as error:
                problems += [_placed(problem, name, part, plan) for name, problem in error.mistakes]
            except BoxwrightError as error:
                about = _ABOUT.match(error.problem.what)
                problems.append(_placed(error.problem, about[1] if about else "", part, plan))
    return in_order(problems)


def _placed(problem: Problem, setting: str, part: Part, plan: BuildPlan) -> Problem:
    """Where the setting is written, or else its part."""
    at = plan.written(part.id, setting) or problem.place or part.place
    return msgspec.structs.replace(problem, place=at)


def _parts(one: PlannedSource, known: bool) -> Iterator[tuple[Any, Part]]:
    listed: list[tuple[Any, Any, Part]] = [
        ("source", source, one),
        *(("provisioner", provisioner, step) for step in one.steps),
        *(("provisioner", provisioner, step) for step in (one.on_error,) if step is not None),
        *(("post-processor", post_processor, post) for post in one.posts),
    ]
    for what, find, part in listed:
        if not known or part.kind in kinds(what):
            yield find, part


def looked_at(reading: Reading, given: Given) -> tuple[Problem, ...]:
    """What is wrong with the settings in a template; what this computer lacks to build it is not."""
    if not reading.template.builds:
        return ()
    plan = plan_of(reading, "validate", given.world(Path(reading.template.root)))
    where = locations()
    scenes = [
        Scene(
            locations=where,
            store=None,
            world=plan.world,
            folder=where.builds / "validate",
            source=one.name,
            kind=one.kind,
        )
        for one in plan.sources
    ]
    redaction = Redaction(plan.secrets)
    wrong = mistakes(plan, scenes, known=True)
    return tuple(redaction.problem(one) for one in wrong if one.code in (ExitCode.USAGE, ExitCode.NOT_FOUND))

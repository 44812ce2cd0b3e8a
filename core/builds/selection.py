"""Which sources of a plan are meant: ``--only`` and ``--except``."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

import msgspec

from core.builds.plan import BuildPlan, PlannedSource
from core.errors import NotFoundError
from core.templates.problems import meant


def select(plan: BuildPlan, only: Sequence[str], exclude: Sequence[str]) -> BuildPlan:
    """The plan without what is not meant. A word is a source's name or a pattern for it; with ``exclude``
    also the name of a post-processor, which is left out with all behind it in its chain.

    Raises NotFoundError for a word that matches nothing, or where nothing is left.
    """
    for word in only:
        _check(word, [name for source in plan.sources for name in _names(source)])
    posts = [one.name or one.kind for source in plan.sources for chain in source.chains for one in chain]
    for word in exclude:
        _check(word, [*(name for source in plan.sources for name in _names(source)), *posts])
    chosen = [
        _without(source, exclude)
        for source in plan.sources
        if (not only or any(_matches(word, source) for word in only))
        and not any(_matches(word, source) for word in exclude)
    ]
    if not chosen:
        raise NotFoundError("No source is left to build.", why="--only and --except leave none.")
    return msgspec.structs.replace(plan, sources=tuple(chosen))


def _names(source: PlannedSource) -> tuple[str, ...]:
    return tuple(dict.fromkeys((source.label, source.display, source.name)))


def _matches(word: str, source: PlannedSource) -> bool:
    return any(fnmatch.fnmatchcase(name, word) for name in _names(source))


def _check(word: str, names: Sequence[str]) -> None:
    if not any(fnmatch.fnmatchcase(name, word) for name in names):
        raise NotFoundError(
            f"There is no source {word!r}.",
            why=meant(word, names) or f"There is {', '.join(dict.fromkeys(names))}.",
            remedy="boxwright template inspect FILE",
        )


def _without(source: PlannedSource, exclude: Sequence[str]) -> PlannedSource:
    chains = []
    for chain in source.chains:
        kept = []
        for one in chain:
            if any(fnmatch.fnmatchcase(one.name or one.kind, word) for word in exclude):
                break
            kept.append(one)
        if kept:
            chains.append(tuple(kept))
    return msgspec.structs.replace(source, chains=tuple(chains))

"""Sources, provisioners and post-processors by kind: ours are found as anybody's are."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from core.builds.base import PostProcessor, Provisioner, Source
from core.errors import BoxwrightError, ConfigError
from core.model.problem import Place
from core.templates.support import Part, support

_GROUPS: dict[Part, str] = {
    "source": "boxwright.build_sources",
    "provisioner": "boxwright.build_provisioners",
    "post-processor": "boxwright.build_post_processors",
}


@cache
def _found(part: Part) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=_GROUPS[part])}


def kinds(part: Part) -> tuple[str, ...]:
    """The kinds that can be run, sorted."""
    return tuple(sorted(_found(part)))


def source(kind: str, place: Place | None = None) -> Source:
    """Raises ConfigError for a kind that cannot be run."""
    found: Source = _load("source", kind, place)
    return found


def provisioner(kind: str, place: Place | None = None) -> Provisioner:
    """Raises ConfigError for a kind that cannot be run."""
    found: Provisioner = _load("provisioner", kind, place)
    return found


def post_processor(kind: str, place: Place | None = None) -> PostProcessor:
    """Raises ConfigError for a kind that cannot be run."""
    found: PostProcessor = _load("post-processor", kind, place)
    return found


@cache
def _made(part: Part, kind: str) -> Any:
    return _found(part)[kind].load()()


def _load(part: Part, kind: str, place: Place | None) -> Any:
    if kind not in _found(part):
        one = support(part, kind)
        raise ConfigError(
            f'The {part} "{kind}" cannot be run.',
            why=f"{one.why} Those that can: {', '.join(kinds(part))}.",
            remedy="boxwright template inspect FILE   (what of a template runs)",
            place=place,
        )
    try:
        return _made(part, kind)
    except Exception as error:
        entry = _found(part)[kind]
        origin = f" of {entry.dist.name}" if entry.dist else ""
        raise BoxwrightError(
            f'The {part} "{kind}"{origin} could not be loaded.',
            why=f"{type(error).__name__}: {error}.",
            remedy="update or remove the package that brings it",
        ) from error

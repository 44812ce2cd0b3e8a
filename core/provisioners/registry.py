"""Provisioners by kind: ours are found as anybody's are."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from core.errors import BoxwrightError, NotFoundError
from core.provisioners.base import Provisioner

GROUP = "boxwright.provisioners"


@cache
def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def kinds() -> tuple[str, ...]:
    """The kinds there are, sorted."""
    return tuple(sorted(_found()))


@cache
def provisioner(kind: str) -> Provisioner:
    """The provisioner of a kind. Raises NotFoundError, and BoxwrightError where it cannot be loaded."""
    entry = _found().get(kind)
    if entry is None:
        raise NotFoundError(
            f"There is no provisioner of the kind {kind!r}.",
            why=f"Installed are: {', '.join(kinds()) or 'none'}.",
            remedy="install the package that brings it, into the environment of boxwright",
        )
    try:
        made: Provisioner = entry.load()()
    except Exception as error:
        source = f" of {entry.dist.name}" if entry.dist else ""
        raise BoxwrightError(
            f"The provisioner {kind!r}{source} could not be loaded.",
            why=f"{type(error).__name__}: {error}.",
            remedy="update or remove the package that brings it",
        ) from error
    return made

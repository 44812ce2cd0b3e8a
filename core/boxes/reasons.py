"""Why a box is left as it is, in words: the same for whoever asks the store and whoever asks before."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import BusyError, UsageError

NO_CATALOGUE = "it came from no catalogue"
NEWEST = "it is the newest version"
NOTHING_NEWER = (NO_CATALOGUE, NEWEST)
"""Those after which nothing is left to be done."""


def in_use(box: str, machines: Sequence[str]) -> BusyError:
    """``box`` is not removed, as machines are linked to it."""
    return BusyError(
        f"The box {box} is in use.",
        why=f"Machines are linked to it and could not start without it: {', '.join(machines)}.",
        remedy="destroy the machines first, or add --force (they will not start any more)",
    )


def several_versions(name: str, versions: Sequence[str]) -> UsageError:
    """It is not clear which of the versions is to be removed; ``versions`` is not empty."""
    return UsageError(
        f"{name} is there in several versions: {', '.join(versions)}.",
        remedy=f"boxwright box remove {name} --box-version {versions[-1]}   (or: all)",
    )

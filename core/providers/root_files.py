"""The file of a box that is the root file system of a container."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import ProviderError
from core.model.machine import MachinePlan

ARCHIVES = ("rootfs.tar.gz", "rootfs.tar.zst", "rootfs.tar.xz", "rootfs.tar")


def root_file(plan: MachinePlan, names: Sequence[str], what: str) -> Path:
    """``names``: those that will do, the best first; ``what``: whose boxes do, for errors.

    Raises ProviderError where the box has none, or its file is gone."""
    found = next((plan.box_files[name] for name in names if name in plan.box_files), None)
    if found is None:
        raise ProviderError(
            "The box has no root file system for containers.",
            why=f"It would be {' or '.join(names)}; there is {', '.join(plan.box_files) or 'no file'}.",
            remedy=f"use a box that was made for {what}",
        )
    if not Path(found).is_file():
        raise ProviderError(
            f"The box of {plan.key.name} is missing.",
            why=f"There is no file {found}.",
            remedy="boxwright box add",
        )
    return Path(found)

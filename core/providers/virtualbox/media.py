"""Disks that VirtualBox knows and no machine owns any more: those of Boxwright's, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from core.providers.base import Leftover
from core.providers.virtualbox.context import Context
from core.undo import remove


async def prune(
    context: Context, machines: Path, known: Collection[str], *, dry_run: bool
) -> tuple[Leftover, ...]:
    """Below the folders of machines that are no more; of one that is there they go with it."""
    found = await context.bridge.ask("orphans", folders=[str(machines)])
    places = [Path(entry["location"]) for entry in found]
    lost = [place for place in places if place.relative_to(machines).parts[0] not in known]
    leftovers = [
        Leftover(f"a disk of VirtualBox's that no machine has: {place}", _size(place)) for place in lost
    ]
    if lost and not dry_run:
        folders = {machines / place.relative_to(machines).parts[0] for place in lost}
        await context.bridge.call("forget orphans", folders=sorted(map(str, folders)))
        for place in lost:
            await asyncio.to_thread(remove, place)
    return tuple(leftovers)


def _size(place: Path) -> int:
    try:
        return place.stat().st_blocks * 512
    except OSError:
        return 0

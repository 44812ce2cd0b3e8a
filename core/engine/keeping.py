"""What was destroyed and can be brought back: how long, and how much of it.

The limits are few: a day, a share of the disk, and never so much that the disk gets full. All that is
kept of a machine is its folder, which stays where it is, and its record.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.engine.records import KeptRecord
from core.model.machine import MachineKey
from core.undo import remove

if TYPE_CHECKING:
    from core.engine.registry import MachineRegistry
    from core.paths import Locations

KEEP = 24 * 3600.0
"""Seconds: a day, as all texts say."""
MOST = 10 << 30
"""Bytes of all that is kept."""
LEAST_FREE = 2 << 30
"""With fewer bytes free on the disk nothing is kept."""

_log = logging.getLogger(__name__)


class Keeping:
    """The machines that can be brought back, in memory."""

    def __init__(self, kept: Iterable[KeptRecord] = ()) -> None:
        self._kept = {record.id: record for record in kept}

    def __bool__(self) -> bool:
        """Whether there is anything, be it half removed."""
        return bool(self._kept)

    def all(self, project: str = "") -> tuple[KeptRecord, ...]:
        """Of one project or of all; the last that was destroyed comes first."""
        found = [
            record for record in self._kept.values() if record.until and project in ("", record.key.project)
        ]
        return tuple(sorted(found, key=lambda record: (-record.destroyed, record.id)))

    def last(self, key: MachineKey) -> KeptRecord | None:
        """What was destroyed last under this name."""
        found = [record for record in self._kept.values() if record.until and record.key == key]
        return max(found, key=lambda record: record.destroyed, default=None)

    def add(self, kept: KeptRecord) -> None:
        self._kept[kept.id] = kept

    def drop(self, machine_id: str) -> None:
        self._kept.pop(machine_id, None)

    def due(self, now: float) -> bool:
        """Whether something has had its time."""
        return any(now >= record.until > 0 for record in self._kept.values())

    def overdue(self, now: float, free: int) -> tuple[KeptRecord, ...]:
        """Those that have to go at ``now`` (Unix time), with so many bytes free: what has had its time, what
        cannot start any more, the oldest of what is too much, and what was not removed to its end."""
        gone = [record for record in self._kept.values() if now >= record.until or not usable(record)]
        left = [record for record in self.all() if record not in gone]
        total = sum(record.size for record in left)
        free += sum(record.size for record in gone)
        while left and (total > MOST or free < LEAST_FREE):
            oldest = left.pop()
            total -= oldest.size
            free += oldest.size
            gone.append(oldest)
        return tuple(gone)


def usable(kept: KeptRecord) -> bool:
    """Whether its folder and what its disks are linked to are still there."""
    plan = kept.record.plan
    return all(Path(path).exists() for path in (plan.folder, *(disk.path for disk in plan.disks)))


def size(folder: Path) -> int:
    """Bytes on disk below ``folder``."""
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(top, name).lstat().st_blocks * 512
    return total


async def prune(machines: MachineRegistry, locations: Locations) -> None:
    """Remove what has had its time, what is too much, and what cannot be brought back any more."""
    if not machines.kept:
        return
    try:
        disk = await asyncio.to_thread(shutil.disk_usage, locations.machines)
        await forget(machines, machines.kept.overdue(time.time(), disk.free))
    except OSError:
        # It is tried again the next time.
        _log.exception("removing what was destroyed")


async def forget(machines: MachineRegistry, gone: Iterable[KeptRecord]) -> None:
    """Remove these for good. Raises OSError; what is left then is removed the next time."""
    for kept in gone:
        # First of all nobody can bring it back; the record goes last, so that nothing stays without one.
        machines.give_up(kept)
        await asyncio.to_thread(remove, Path(kept.record.plan.folder))
        machines.forget_kept(kept)

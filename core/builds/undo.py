"""Takes back what a build began: its processes, and the folder in which it worked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.builds import elsewhere, kept
from core.builds.amazon import undo as amazon
from core.builds.docker import undo as docker
from core.builds.libvirt import pool
from core.builds.lxd import undo as lxd
from core.builds.machines import undo as machines
from core.builds.namespace import remove_tree
from core.builds.output import FOLDERS, OUTPUT, remove_folders, remove_output
from core.errors import BoxwrightError, ProviderError
from core.model.work import UndoTable
from core.undo import SHARED, remove

FOLDER = "build.folder"
"""Kind of intent: the working folder ``path`` of a build, and all processes that work in it."""

SWEEP = "build.sweep"
"""Kind of intent: the folder ``layers``, of which layers may be gone that have left something elsewhere."""

_PATIENCE = 10.0
"""Seconds in which killed processes have to be gone."""


async def remove_folder(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`FOLDER`. Raises BoxwrightError where something cannot be removed."""
    folder = Path(facts["path"])
    await end_processes(folder)
    try:
        await asyncio.to_thread(remove, folder)
    except PermissionError:
        await remove_tree(folder)
        if await asyncio.to_thread(folder.exists):
            raise BoxwrightError(
                f"The unfinished build in {folder} cannot be removed.", remedy=f"sudo rm -rf {folder}"
            ) from None


async def remove_kept(builds: Path) -> int:
    """Remove the machines that failed builds left as they were. Returns how many there were."""
    folders = await asyncio.to_thread(kept.folders, builds)
    for folder in folders:
        beyond = elsewhere.read(folder / elsewhere.LEFT)
        if beyond is not None:
            await {**SHARED, **UNDO}[beyond.kind](beyond.facts)
        await remove_folder({"path": str(folder)})
    return len(folders)


async def sweep(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`SWEEP`: remove what layers that are gone have left elsewhere.

    What cannot be removed now, as its daemon is not there, is tried again the next time.
    """
    layers = Path(facts["layers"])
    for layer, beyond in await asyncio.to_thread(elsewhere.gone, layers):
        with contextlib.suppress(ProviderError):
            await UNDO[beyond.kind](beyond.facts)
            elsewhere.forget(layers, layer)


async def end_processes(folder: Path) -> None:
    """Kill every process of ours whose arguments name ``folder``, and wait until they are gone."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE
    while found := _working_in(folder):
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if loop.time() > deadline:
            return
        await asyncio.sleep(0.02)


def _working_in(folder: Path) -> list[int]:
    """Processes with the folder, or something in it, among their arguments. Not ourselves."""
    name = os.fsencode(folder)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if entry.stat().st_uid in (os.geteuid(), 0) and name in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


UNDO: UndoTable = {
    FOLDER: remove_folder,
    SWEEP: sweep,
    OUTPUT: remove_output,
    FOLDERS: remove_folders,
    **docker.UNDO,
    **lxd.UNDO,
    **amazon.UNDO,
    **pool.UNDO,
    **machines.UNDO,
}
"""To be merged into the engine's table."""

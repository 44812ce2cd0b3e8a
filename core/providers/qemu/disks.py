"""Disk images, by ``qemu-img``, of machines that do not run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

from core.errors import ProviderError
from core.model.machine import Disk, ExtraDisk, MachinePlan
from core.providers.qemu.firmware import Firmware
from core.providers.qemu.layout import Layout
from core.providers.qemu.record import DiskFile, Record
from core.providers.qemu.tools import Ended, image_tool, run

T = TypeVar("T")


async def finish(work: Awaitable[T]) -> T:
    """Await what must not be left half done: a cancellation takes effect once it has ended."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


async def create_overlay(folder: Path, number: int, disk: Disk) -> DiskFile:
    """A linked clone of a box's image: it holds only what the machine writes."""
    backing = _image_of_box(disk)
    file = f"disk{number}.qcow2"
    grown = [str(disk.size)] if disk.size else []
    options = ["-f", "qcow2", "-F", disk.format, "-b", str(backing)]
    await _create(folder / file, [*options, str(folder / file), *grown])
    return DiskFile(file=file, node=f"disk{number}", backing=str(backing))


def _image_of_box(disk: Disk) -> Path:
    path = Path(disk.path).absolute()
    if not path.is_file():
        raise ProviderError(
            f"The box's disk image {path} is missing.",
            remedy="boxwright box verify, then add the box again",
        )
    return path


async def create_extra(folder: Path, number: int, disk: ExtraDisk) -> DiskFile:
    """An empty disk; it takes no room before it is written to."""
    file = f"extra{number}.qcow2"
    await _create(folder / file, ["-f", "qcow2", str(folder / file), str(disk.size)])
    return DiskFile(file=file, node=f"extra{number}", extra=disk.name)


async def create_variables(folder: Path, firmware: Firmware) -> DiskFile:
    """The machine's own UEFI variables, in an image that can hold snapshots."""
    ended = await run(
        image_tool(), "convert", "-O", "qcow2", str(firmware.variables), str(folder / "nvram.qcow2")
    )
    _check(ended, "The UEFI variables cannot be copied.")
    return DiskFile(file="nvram.qcow2", node="nvram")


async def _create(path: Path, arguments: Sequence[str]) -> None:
    ended = await run(image_tool(), "create", "-q", *arguments)
    _check(ended, f"The disk {path.name} cannot be made.")


def lost(layout: Layout, record: Record, plan: MachinePlan) -> str:
    """Says which image is missing, and what to do; "" where all are there. Looks at names only."""
    for disk in record.all_disks:
        if not (layout.home / disk.file).exists():
            return (
                f"The machine's disk {layout.home / disk.file} is gone. "
                f"boxwright destroy {plan.key.name} removes the rest, boxwright up makes it anew."
            )
        if disk.backing and not Path(disk.backing).exists():
            return (
                f"The box's image {disk.backing} is gone, and the machine is a linked clone of it. "
                f"Add the box again, or boxwright destroy {plan.key.name}."
            )
    return ""


async def snapshot(layout: Layout, disk: DiskFile, action: str, tag: str) -> None:
    """``action``: ``-c`` create, ``-a`` apply, ``-d`` delete."""
    ended = await run(image_tool(), "snapshot", action, tag, str(layout.home / disk.file))
    _check(ended, f"The snapshot of {disk.file} failed.")


async def snapshots(layout: Layout, disk: DiskFile) -> dict[str, int]:
    """Tags in the image and the bytes of memory that each holds; works while the machine runs, too."""
    ended = await run(image_tool(), "info", "-U", "--output=json", str(layout.home / disk.file))
    _check(ended, f"The disk {disk.file} cannot be read.")
    found = json.loads(ended.output).get("snapshots", [])
    return {entry["name"]: int(entry.get("vm-state-size", 0)) for entry in found}


def _check(ended: Ended, what: str) -> None:
    if ended.status == 0:
        return
    lines = tuple(line for line in ended.errors.splitlines() if line.strip())
    full = "No space left" in ended.errors
    raise ProviderError(
        what,
        why=lines[-1].removeprefix("qemu-img: ") if lines else f"qemu-img ended with status {ended.status}.",
        remedy="free some space on the host's disk, then try again" if full else "",
        tail=lines[-5:],
    )

"""The machine's disks: qcow2 images in its home."""

from __future__ import annotations

from pathlib import Path

from core.model.machine import Disk, ExtraDisk, MachinePlan
from core.providers import images
from core.providers.firmware import Firmware
from core.providers.qemu.layout import Layout
from core.providers.qemu.record import DiskFile, Record
from core.providers.tools import image_tool, run


async def create_overlay(folder: Path, number: int, disk: Disk) -> DiskFile:
    """A linked clone of a box's image."""
    file = f"disk{number}.qcow2"
    backing = await images.create_overlay(folder / file, disk)
    return DiskFile(file=file, node=f"disk{number}", backing=str(backing))


async def create_extra(folder: Path, number: int, disk: ExtraDisk) -> DiskFile:
    """An empty disk."""
    file = f"extra{number}.qcow2"
    await images.create_empty(folder / file, disk.size)
    return DiskFile(file=file, node=f"extra{number}", extra=disk.name)


async def create_variables(folder: Path, firmware: Firmware) -> DiskFile:
    """The machine's own UEFI variables, in an image that can hold snapshots."""
    target = folder / "nvram.qcow2"
    await images.convert(firmware.variables, target, "The UEFI variables cannot be copied.")
    return DiskFile(file=target.name, node="nvram")


def lost(layout: Layout, record: Record, plan: MachinePlan) -> str:
    """Says which image is missing, and what to do; "" where all are there."""
    found = (images.lost(layout.home / disk.file, disk.backing, plan.key.name) for disk in record.all_disks)
    return next(filter(None, found), "")


async def snapshot(layout: Layout, disk: DiskFile, action: str, tag: str) -> None:
    """``action``: ``-c`` create, ``-a`` apply, ``-d`` delete."""
    ended = await run(image_tool(), "snapshot", action, tag, str(layout.home / disk.file))
    images.check(ended, f"The snapshot of {disk.file} failed.")


async def snapshots(layout: Layout, disk: DiskFile) -> dict[str, int]:
    """Tags in the image and the bytes of memory that each holds; works while the machine runs, too."""
    return await images.snapshots(layout.home / disk.file)

"""The machine's disks: qcow2 images in its home."""

from __future__ import annotations

from pathlib import Path

from core.model.machine import Disk, ExtraDisk, MachinePlan
from core.providers import images
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


async def create_layer(folder: Path, below: str, file: str) -> None:
    """An overlay ``file`` on ``below``, both in ``folder``: it finds that wherever the folder is."""
    await images.create_layer(folder / file, below, "qcow2", await images.describe(folder / below))


async def create_like(original: Path, target: Path) -> None:
    """An empty image with the size of ``original`` on top of the same image as that, if any."""
    found = await images.describe(original)
    below, form = found.get("backing-filename", ""), found.get("backing-filename-format", "raw")
    await images.create_layer(target, below, form, found)


async def copy(original: Path, target: Path) -> None:
    """What is in ``original`` itself, on top of the same image as that, if any; without its snapshots."""
    found = await images.describe(original)
    below = found.get("backing-filename", "")
    base = ("-B", below, "-F", found.get("backing-filename-format", "raw")) if below else ()
    await images.convert(original, target, f"The disk {original.name} cannot be copied.", *base)


async def untouched(layout: Layout, disk: DiskFile) -> bool:
    """Whether a disk of a machine that does not run is a fresh overlay: it may have its base shared again."""
    return bool(disk.bases) and await images.is_empty(layout.home / disk.file)


async def copy_variables(original: Path, target: Path) -> None:
    """Of another machine, which may run."""
    await images.convert(original, target, "The UEFI variables cannot be copied.", "-U")


async def create_variables(folder: Path, original: Path) -> DiskFile:
    """The machine's own UEFI variables, in an image that can hold snapshots."""
    target = folder / "nvram.qcow2"
    await images.convert(original, target, "The UEFI variables cannot be copied.")
    return DiskFile(file=target.name, node="nvram")


def lost(layout: Layout, record: Record, plan: MachinePlan) -> str:
    """Says which image is missing, and what to do; "" where all are there."""
    found = (
        images.lost(layout.home / file, disk.backing, plan.key.name)
        for disk in record.all_disks
        for file in (disk.file, *disk.bases)
    )
    return next(filter(None, found), "")


async def snapshot(layout: Layout, disk: DiskFile, action: str, tag: str) -> None:
    """``action``: ``-c`` create, ``-a`` apply, ``-d`` delete."""
    ended = await run(image_tool(), "snapshot", action, tag, str(layout.home / disk.file))
    images.check(ended, f"The snapshot of {disk.file} failed.")


async def snapshots(layout: Layout, disk: DiskFile) -> dict[str, int]:
    """Tags in the image and the bytes of memory that each holds; works while the machine runs, too."""
    return await images.snapshots(layout.home / disk.file)

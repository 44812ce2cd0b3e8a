"""Disk images in qcow2: linked clones of a box's, empty ones, and the snapshots inside of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.errors import ProviderError
from core.model.machine import Disk
from core.providers.tools import Ended, image_tool, run

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


async def create_overlay(path: Path, disk: Disk) -> Path:
    """Make ``path`` a linked clone of a box's image: it holds only what the machine writes.

    Returns the absolute path of that image.
    """
    backing = image_of_box(disk)
    grown = [str(disk.size)] if disk.size else []
    await _create(path, ["-f", "qcow2", "-F", disk.format, "-b", str(backing), str(path), *grown])
    return backing


def image_of_box(disk: Disk) -> Path:
    """Its absolute path; raises ProviderError where it is not there."""
    path = Path(disk.path).absolute()
    if not path.is_file():
        raise ProviderError(
            f"The box's disk image {path} is missing.",
            remedy="boxwright box verify, then add the box again",
        )
    return path


async def create_empty(path: Path, size: int) -> None:
    """An empty disk of ``size`` bytes; it takes no room before it is written to."""
    await _create(path, ["-f", "qcow2", str(path), str(size)])


async def create_layer(path: Path, below: str, form: str, like: Mapping[str, Any]) -> None:
    """An empty image of the size of ``like`` (see ``describe``) on top of ``below``, where that is not "".

    ``below`` without a folder is found in the folder of ``path``, wherever that is.
    """
    base = ["-u", "-F", form, "-b", below] if below else []
    await _create(path, ["-f", "qcow2", *base, str(path), str(like["virtual-size"])])


async def describe(path: Path) -> dict[str, Any]:
    """What ``qemu-img info`` knows of an image; works while its machine runs, too."""
    ended = await run(image_tool(), "info", "-U", "--output=json", str(path))
    check(ended, f"The disk {path.name} cannot be read.")
    found: dict[str, Any] = json.loads(ended.output)
    return found


async def is_empty(path: Path) -> bool:
    """Whether nothing is in an image of its own, apart from what is in those below it."""
    ended = await run(image_tool(), "map", "--output=json", str(path))
    check(ended, f"The disk {path.name} cannot be read.")
    return not any(part["depth"] == 0 and (part["data"] or part["zero"]) for part in json.loads(ended.output))


async def convert(source: Path, target: Path, what: str, *options: str) -> None:
    """Copy an image of any format into a new qcow2 one. ``what``: the error's first sentence."""
    check(await run(image_tool(), "convert", *options, "-O", "qcow2", str(source), str(target)), what)


async def _create(path: Path, arguments: Sequence[str]) -> None:
    ended = await run(image_tool(), "create", "-q", *arguments)
    check(ended, f"The disk {path.name} cannot be made.")


async def snapshots(path: Path) -> dict[str, int]:
    """Tags in the image and the bytes of memory that each holds; works while the machine runs, too."""
    found = (await describe(path)).get("snapshots", [])
    return {entry["name"]: int(entry.get("vm-state-size", 0)) for entry in found}


async def forget_snapshots(path: Path) -> None:
    """Remove the snapshots inside of an image; what is below it need not be there."""
    found = await snapshots(path)
    alone = {"driver": "qcow2", "backing": None, "file": {"driver": "file", "filename": str(path)}}
    for tag in found:
        ended = await run(image_tool(), "snapshot", "-d", tag, f"json:{json.dumps(alone)}")
        check(ended, f"The snapshots of {path.name} cannot be removed.")


def lost(path: Path, backing: str, machine: str) -> str:
    """Says which image is missing, and what to do; "" where both are there. Looks at names only."""
    if not path.exists():
        return (
            f"The machine's disk {path} is gone. "
            f"boxwright destroy {machine} removes the rest, boxwright up makes it anew."
        )
    if backing and not Path(backing).exists():
        return (
            f"The box's image {backing} is gone, and the machine is a linked clone of it. "
            f"Add the box again, or boxwright destroy {machine}."
        )
    return ""


def check(ended: Ended, what: str) -> None:
    """Raise ProviderError, beginning with ``what``, where ``qemu-img`` failed."""
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

"""Disk images as files: what one is, a new one, and one that is written out of its layers."""

from __future__ import annotations

import json
from pathlib import Path

from core.builds.process import run_tool
from core.builds.tools import QEMU_IMG, need
from core.errors import BoxwrightError
from core.model.work import Work
from core.providers import tools

KINDS = ("qcow2", "raw", "vmdk", "vdi", "vpc", "vhdx")
"""Formats of images that a disk may begin with."""


async def describe(image: Path) -> tuple[str, int]:
    """Format and size in bytes of a disk image. Raises BoxwrightError for what is none."""
    ended = await tools.run(need(QEMU_IMG), "info", "--output=json", "-U", str(image))
    if ended.status:
        raise BoxwrightError(f"{image} is no disk image.", why=ended.errors.strip())
    told = json.loads(ended.output)
    if told["format"] not in KINDS:
        raise BoxwrightError(f"{image} has the format {told['format']!r}, which no disk can begin with.")
    return str(told["format"]), int(told["virtual-size"])


async def empty(path: Path, size: int, work: Work) -> None:
    """A new disk."""
    argv = [need(QEMU_IMG), "create", "-q", "-f", "qcow2", str(path), str(size)]
    await run_tool(argv, work=work, doing="making a disk")


async def flatten(source: Path, target: Path, form: str, work: Work, *, compress: bool = False) -> None:
    """A disk with all that lies below it, as one image."""
    options = ["-c"] if compress and form == "qcow2" else []
    argv = [
        need(QEMU_IMG), "convert", *options, "-m", "4", "-W", "-f", "qcow2", "-O", form,
        str(source), str(target),
    ]  # fmt: skip
    await run_tool(argv, work=work, doing="writing the image")

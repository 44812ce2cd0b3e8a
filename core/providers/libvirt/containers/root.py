"""The root of a container: a folder of the machine's, unpacked from its box."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers import tools
from core.providers.libvirt.containers.definition import ROOT
from core.providers.libvirt.record import DiskFile
from core.providers.root_files import ARCHIVES, root_file
from core.providers.tools import Ended

_UNPACK = ("tar", "--extract", "--numeric-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*")
_NO_DEVICES = ("--anchored", "--exclude=./dev/*", "--exclude=dev/*")
"""libvirt makes the container's own devices, and no others."""


async def unpack(plan: MachinePlan, staging: Path, work: Work) -> DiskFile:
    """Make the folder below ``staging``."""
    archive = root_file(plan, ARCHIVES, "LXD or Docker")
    root = staging / ROOT
    root.mkdir(mode=0o755)
    work.note("unpacking the box's root file system")
    _check(
        await tools.run(*_UNPACK, *_NO_DEVICES, "--file", str(archive), "--directory", str(root)), "unpacked"
    )
    if not any((root / name).exists() or (root / name).is_symlink() for name in ("bin", "usr")):
        raise ProviderError(
            "The box has no root file system for containers.", why=f"There is no /bin in {archive.name}."
        )
    return DiskFile(file=ROOT)


async def copy(original: Path, target: Path) -> None:
    """A copy of a whole root: its blocks are shared where the file system can do that."""
    _check(await tools.run("cp", "--archive", "--reflink=auto", str(original), str(target)), "copied")


def _check(ended: Ended, what: str) -> None:
    if ended.status:
        full = "No space left" in ended.errors
        raise ProviderError(
            f"The container's root file system cannot be {what}.",
            why=ended.errors.strip()[-500:],
            remedy="free some space where Boxwright keeps its machines" if full else "",
        )


async def halt_signal(root: Path) -> int:
    """What the container's first process takes for the power button: systemd has a signal of its own."""
    init = await asyncio.to_thread(_init, root)
    return signal.SIGRTMIN + 3 if "systemd" in init else signal.SIGPWR


def _init(root: Path) -> str:
    """Where ``/sbin/init`` of that root leads; links are read, never followed out of it."""
    for name in ("sbin/init", "usr/sbin/init"):
        try:
            return str((root / name).readlink())
        except OSError:
            continue
    return ""

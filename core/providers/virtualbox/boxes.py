"""Boxes of VirtualBox: an OVF with its disks, or an OVA. Each is imported once, as a machine that the others
are linked clones of; it goes with the last of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.virtualbox import appliance
from core.providers.virtualbox.bridge import VirtualBoxError
from core.providers.virtualbox.context import Context
from core.providers.virtualbox.layout import Layout
from core.undo import remove

IMPORTING = 300.0
"""Seconds that an import may be silent: large disks on slow ones."""


class Master(msgspec.Struct, frozen=True):
    """The machine that stands for a box."""

    name: str
    digest: str


def master_of(plan: MachinePlan) -> Master:
    """What the box's machine is called: it changes with the box, and with the folder of this user's data."""
    digest = hashlib.sha256(str(Layout.of(plan).masters).encode())
    for name, path in sorted(plan.box_files.items()):
        status = Path(path).stat()
        digest.update(f"\0{name}\0{path}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    return Master(f"boxwright-box-{digest.hexdigest()[:12]}", digest.hexdigest())


async def ensure(context: Context, plan: MachinePlan, master: Master, work: Work) -> str:
    """UUID of the machine that stands for the box, imported where it is not there yet."""
    known: str = await context.bridge.ask("master", name=master.name, digest=master.digest)
    if known:
        return known
    layout = Layout.of(plan)
    await _drop(context, master.name, layout.masters)
    unpacked = layout.machine_folder / "virtualbox.box"
    work.intend("path", path=str(unpacked))
    source = await asyncio.to_thread(_lay_out, plan, unpacked)
    work.note("importing the box; the next machines of it need not")
    try:
        made: str = await context.bridge.call(
            "import",
            patience=IMPORTING,
            progress=percent(work),
            appliance=str(source),
            name=master.name,
            folder=str(layout.masters),
            digest=master.digest,
        )
    except VirtualBoxError as error:
        raise _not_imported(plan, error) from error
    finally:
        await asyncio.shield(asyncio.to_thread(remove, unpacked))
    return made


def percent(work: Work) -> Callable[[int], None]:
    return lambda done: work.progress(done, 100, "%")


def _lay_out(plan: MachinePlan, folder: Path) -> Path:
    """The box's files by their own names: in the store they are called by their content."""
    remove(folder)
    for name, path in plan.box_files.items():
        place = folder / PurePosixPath(name)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.symlink_to(path)
    return folder / appliance.find(plan)


def _not_imported(plan: MachinePlan, error: VirtualBoxError) -> BaseException:
    if error.kind in ("gone", "silent", "missing", "cancelled"):
        return error
    problem = error.problem
    if error.kind == "taken":
        return VirtualBoxError(
            "VirtualBox has another machine by the name that the box needs.",
            kind=error.kind,
            why=problem.what,
            remedy="rename that machine in VirtualBox, then try again",
        )
    full = "VERR_DISK_FULL" in problem.why
    return VirtualBoxError(
        f"VirtualBox cannot import the box of the machine {plan.key.name}.",
        kind=error.kind,
        number=error.number,
        why=problem.why or problem.what,
        remedy="free some space on the host's disk, then try again"
        if full
        else "boxwright box verify, then add the box again, or ask whoever made it for a mended one",
    )


async def let_go(context: Context, name: str, folder: Path) -> None:
    """Remove the box's machine where no other machine stands on it any more, and what is left of one."""
    async with context.box_lock(name):
        await _drop(context, name, folder)


async def _drop(context: Context, name: str, folder: Path) -> None:
    if await context.bridge.call("drop master", name=name, folder=str(folder)):
        await asyncio.to_thread(_tidy, folder, name)


def _tidy(folder: Path, name: str) -> None:
    remove(folder / name)
    try:
        folder.rmdir()
    except OSError:
        # Other boxes are in there.
        return

"""Keeping the state of a running machine as a layer, and going on from one.

The disk that was written to becomes the layer's; the machine goes on with a new, empty one over it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.builds.process import run_tool
from core.builds.qemu.emulator import Emulator
from core.builds.qemu.hardware import node
from core.builds.qemu.ram import Ram
from core.builds.sparse import copy_sparse
from core.builds.tools import QEMU_IMG, need
from core.errors import BoxwrightError
from core.model.work import Work
from core.providers.qemu.monitor import MonitorError

RAM = "ram"
STATE = "state"
NVRAM = "nvram.qcow2"
_UNLIMITED = 1 << 40


def disk_name(number: int) -> str:
    """A disk's file in a layer."""
    return f"disk{number}.qcow2"


async def overlay(target: Path, backing: Path, work: Work, *, size: int = 0, form: str = "qcow2") -> None:
    """A new empty image over ``backing``, which need not be there yet where ``size`` is given."""
    sizes = [str(size)] if size else []
    unchecked = ["-u"] if size else []
    await run_tool(
        [
            need(QEMU_IMG),
            "create",
            *("-q", "-f", "qcow2", "-F", form, *unchecked, "-b", str(backing)),
            str(target),
            *sizes,
        ],
        work=work,
        doing="making a disk",
    )


class Disks:
    """The disks of a running machine: which files are written to now, and what QEMU calls them."""

    def __init__(self, files: Sequence[Path], sizes: Sequence[int], folder: Path) -> None:
        self.files = list(files)
        self.sizes = list(sizes)
        self._folder = folder
        self._generation = 0

    async def keep(
        self, emulator: Emulator, folder: Path, place: Path, ram: Ram, nvram: Path | None, work: Work
    ) -> None:
        """The state as it is into ``folder``, which becomes ``place``. The guest stands still meanwhile."""
        monitor = emulator.monitor
        generation = self._generation + 1
        fresh = []
        for number, size in enumerate(self.sizes):
            path = self._folder / f"disk{number}-{generation}.qcow2"
            # Its backing file is named as it will be once the layer has its place.
            await overlay(path, place / disk_name(number), work, size=size)
            fresh.append(path)
        began = time.monotonic()
        await monitor.execute("stop")
        try:
            for number, path in enumerate(fresh):
                await monitor.execute("blockdev-add", _image(node(number, generation), path))
                await monitor.execute(
                    "blockdev-snapshot",
                    {"node": node(number, generation - 1), "overlay": node(number, generation)},
                )
            self._generation = generation
            await _save(emulator, folder / STATE)
            await asyncio.to_thread(ram.save, folder / RAM)
            if nvram is not None:
                await asyncio.to_thread(copy_sparse, nvram, folder / NVRAM)
            for number, path in enumerate(self.files):
                path.rename(folder / disk_name(number))
            self.files = fresh
        except MonitorError as error:
            raise BoxwrightError(
                "The state after this step could not be kept.",
                why=error.problem.why or error.problem.what,
                remedy="boxwright build --no-cache ...   (builds without keeping states)",
            ) from error
        finally:
            await _go_on(emulator)
        work.progress(1, 1)
        work.write(f"Kept this state in {time.monotonic() - began:.1f} s.\n".encode())


async def _go_on(emulator: Emulator) -> None:
    """QEMU says that a state is saved a moment before it lets the guest go on."""
    while True:
        told = await emulator.monitor.execute("query-status")
        if told["status"] != "finish-migrate":
            break
        await asyncio.sleep(0.002)
    await emulator.monitor.execute("cont")


def _image(name: str, path: Path) -> dict[str, Any]:
    file = {"driver": "file", "filename": str(path)}
    return {"driver": "qcow2", "node-name": name, "file": file, "backing": None}


async def _save(emulator: Emulator, target: Path) -> None:
    """All that is not in the memory's file: processors and devices."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        await _prepare(emulator)
        await emulator.monitor.execute("migrate-set-parameters", {"max-bandwidth": _UNLIMITED})
        await emulator.monitor.send_file("state", descriptor)
        await _transfer(emulator, "migrate")
    finally:
        os.close(descriptor)


async def load(emulator: Emulator, layer: Path) -> None:
    """For a machine that was started to wait for its state: take it from the layer and go on."""
    descriptor = os.open(layer / STATE, os.O_RDONLY)
    try:
        await _prepare(emulator)
        await emulator.monitor.send_file("state", descriptor)
        await _transfer(emulator, "migrate-incoming")
    finally:
        os.close(descriptor)
    await emulator.monitor.execute("cont")


async def _prepare(emulator: Emulator) -> None:
    wanted = [{"capability": name, "state": True} for name in ("events", "x-ignore-shared")]
    await emulator.monitor.execute("migrate-set-capabilities", {"capabilities": wanted})


async def _transfer(emulator: Emulator, command: str) -> None:
    """Raises MonitorError."""
    monitor = emulator.monitor
    with monitor.listening("MIGRATION") as following:
        await monitor.execute(command, {"uri": "fd:state"})
        while True:
            event = await following()
            status = event[1]["status"] if event else "failed"
            if status in ("completed", "failed", "cancelled"):
                break
    if status != "completed":
        told = await monitor.execute("query-migrate")
        raise MonitorError("QEMU could not transfer the state.", why=str(told.get("error-desc", status)))

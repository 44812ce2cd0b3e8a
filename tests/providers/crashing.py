"""An engine that is killed in the middle of an action."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from core.model.machine import MachineState
from tests.providers.bench import Bench, Machine
from tests.providers.networks import Wiring
from tests.providers.qemu.test_crash import KILLED, undo_written
from tests.support.libvirtd import ROOT

EVERY = bool(os.environ.get("BOXWRIGHT_EVERY_POINT"))
"""Each call has a dozen points, most of which are the same to the server: usually some are tried."""

Step = Callable[[Machine], Awaitable[None]]


class ContainerBench(Bench, Protocol):
    async def close(self) -> None: ...


class Listing(Protocol):
    """A daemon that tells all that it has."""

    def objects(self) -> dict[str, list[str]]: ...


class Kill(msgspec.Struct, frozen=True):
    """An action, and what is done around it.

    ``points``: it has more than these; each ``stride``-th is tried.
    """

    action: str
    prepare: Step
    check: Step
    points: int
    stride: int


async def killed_everywhere(
    provider: str, bench: ContainerBench, daemon: Listing, folder: Path, kill: Kill
) -> None:
    """After each death the next engine puts it in order; in the end nothing of ours is at the daemon."""
    before = await asyncio.to_thread(daemon.objects)
    machine = Machine(bench, bench.plans.make(networks=(Wiring().place(10),)))
    try:
        for point in range(1, 2000, 1 if EVERY else kill.stride):
            await kill.prepare(machine)
            await bench.close()
            journal = folder / f"journal{point}"
            died = await asyncio.to_thread(die, provider, machine, kill.action, point, folder, journal)
            machine.provider = bench.again()
            if not died:
                break
            await undo_written(journal, machine.provider.undo)
            await kill.check(machine)
            assert await machine.state() is not MachineState.BROKEN
        assert point > kill.points
    finally:
        await machine.destroy()
        assert await bench.traces(machine.plan) == []
    assert await asyncio.to_thread(daemon.objects) == before


def die(
    provider: str, machine: Machine, action: str, point: int, folder: Path, journal: Path, target: str = ""
) -> bool:
    """Whether the process died before it was through. ``target``: see :mod:`tests.providers.dying`."""
    plan = folder / "plan.json"
    plan.write_bytes(msgspec.json.encode(machine.plan))
    words = [provider, action, str(point), str(plan), str(journal), *([target] if target else [])]
    done = subprocess.run(
        [sys.executable, "-m", "tests.providers.dying", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode in (0, KILLED), done.stderr
    return done.returncode == KILLED

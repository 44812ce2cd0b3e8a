"""The states of 300 machines over five providers, and what asking for them costs while nothing happens.

    python -m benchmarks.states [--machines N] [--rounds N] [--idle SECONDS]

All machines are real ones at real daemons of this benchmark's own, created and stopped, a fifth of them at
each provider: QEMU's are folders with disks, libvirt's are domains, Docker's and LXD's are containers,
VirtualBox's are machines in a chroot of Debian's moving distribution (--without leaves providers out). A
refresh is what the engine does when it starts or is asked to look again: one bulk call for each provider,
all at once, and the records brought up to date. Bar: 300 ms. Then the engine idles with somebody who
listens; every call of a provider and every message over a socket is counted. Exit status 1 where a bar is
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.terminal import Figures
from core.engine.engine import Engine
from core.engine.installed import installed_providers
from core.engine.records import MachineRecord
from core.model.machine import MachineState
from core.paths import Locations
from core.providers.base import Provider
from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.bench import Plans
from tests.providers.lxd.bench import LxdPlans
from tests.providers.virtualbox.bench import VirtualBoxPlans
from tests.support import lxd
from tests.support.bootsector import write_disk
from tests.support.dockerd import Dockerd
from tests.support.foreign import installed
from tests.support.libvirtd import Libvirtd
from tests.support.virtualbox import VirtualBox, make_box, seen
from tests.support.work import RecordingWork

BAR = 0.3
ALL = ("qemu", "libvirt", "docker", "lxd", "virtualbox")
ASKED = ("probe", "states", "snapshots", "stats")


@contextlib.contextmanager
def daemons(folder: Path, wanted: tuple[str, ...]) -> Iterator[dict[str, Plans]]:
    """Where each provider's machines are, and plans for them."""
    with contextlib.ExitStack() as stack:
        places = {name: folder / name for name in wanted}
        for place in places.values():
            place.mkdir()
        plans: dict[str, Plans] = {"qemu": Plans(places["qemu"])}
        if "libvirt" in wanted:
            libvirt = Libvirtd("session", places["libvirt"])
            stack.callback(libvirt.stop)
            libvirt.start()
            os.environ[URI_VARIABLE] = libvirt.uri
            plans["libvirt"] = Plans(places["libvirt"])
        if "docker" in wanted:
            docker = Dockerd(places["docker"])
            stack.callback(docker.stop)
            docker.start()
            docker.load("tiny:1", changes=('CMD ["/bin/sh"]',))
            os.environ["DOCKER_HOST"] = docker.url
            plans["docker"] = Plans(places["docker"])
        if "lxd" in wanted:
            daemon = stack.enter_context(lxd.running())
            os.environ["LXD_DIR"] = str(daemon.folder)
            plans["lxd"] = LxdPlans(places["lxd"], lxd.write_rootfs(folder / "rootfs.tar.gz"))
        if "virtualbox" in wanted:
            plans["virtualbox"] = _virtualbox(stack, places["virtualbox"], folder)
        yield plans


def _virtualbox(stack: contextlib.ExitStack, place: Path, shared: Path) -> Plans:
    system = installed("virtualbox", Path.home() / ".cache" / "boxwright-tests")
    made = VirtualBox(system, place, seen(shared))
    stack.callback(made.stop)
    made.start()
    os.environ.update(made.environment)
    box = make_box(made, place / "box", disk=write_disk(place / "box.img"))
    (place / "plans").mkdir()
    return VirtualBoxPlans(place / "plans", box)


async def create(provider: Provider, plans: Plans, count: int) -> list[MachineRecord]:
    work = RecordingWork(provider.undo)
    image = {"disks": (), "options": {"image": "tiny:1"}} if provider.name == "docker" else {}
    records = []
    for _ in range(count):
        plan = plans.make(ports=(), **image)
        await provider.create(plan, work)
        records.append(MachineRecord(plan=plan, provider=provider.name))
    return records


class Calls:
    """Counts calls of providers, and messages that this process sends over sockets."""

    def __init__(self, providers: dict[str, Provider]) -> None:
        self.calls: Counter[str] = Counter()
        self.sent = 0
        for provider in providers.values():
            for name in ASKED:
                self._count(provider, name)
        original = socket.socket.send

        def send(this: socket.socket, *arguments: Any) -> int:
            self.sent += 1
            return original(this, *arguments)

        socket.socket.send = send  # type: ignore[method-assign, assignment]

    def _count(self, provider: Provider, name: str) -> None:
        method = getattr(provider, name)

        def counted(*arguments: Any) -> Any:
            self.calls[f"{provider.name}.{name}"] += 1
            return method(*arguments)

        setattr(provider, name, counted)

    def reset(self) -> None:
        self.calls.clear()
        self.sent = 0


async def measure(folder: Path, plans: dict[str, Plans], machines: int, rounds: int, idle: float) -> int:
    loaded, _ = installed_providers()
    providers = {name: provider for name, provider in loaded.items() if name in plans}
    calls = Calls(providers)
    where = Locations(data=folder / "home", runtime=folder / "home" / "run").prepare()
    engine = Engine(where, providers=providers)
    await engine.start()
    figures = Figures(f"{machines} machines, created and stopped, over {len(providers)} providers")
    try:
        each = machines // len(providers)
        for name, provider in providers.items():
            began = time.monotonic()
            for record in await create(provider, plans[name], each):
                engine.machines.put(record)
            figures.show(f"{name}: {each} machines created in", time.monotonic() - began, None, "s")
        await _refresh(engine, figures, calls, rounds)
        await _idle(engine, figures, calls, idle)
    finally:
        for record in engine.machines.records():
            with contextlib.suppress(Exception):
                await providers[record.provider].destroy(record.plan, RecordingWork({}))
        await engine.stop(force=True)
    return figures.status


async def _refresh(engine: Engine, figures: Figures, calls: Calls, rounds: int) -> None:
    records = engine.machines.records()
    await engine.watcher.look(records)
    wrong = [record for record in engine.machines.records() if record.state is not MachineState.STOPPED]
    assert not wrong, f"{wrong[0].provider}: {wrong[0].state} {wrong[0].trouble}"
    for name in sorted({record.provider for record in records}):
        mine = [record for record in engine.machines.records() if record.provider == name]
        times = [await _timed(engine, mine) for _ in range(rounds)]
        figures.show(f"{name}: states of {len(mine)}", statistics.median(times), None, "s")
    calls.reset()
    times = [await _timed(engine, engine.machines.records()) for _ in range(rounds)]
    figures.show(f"all {len(records)}, median of {rounds}", statistics.median(times), BAR, "s")
    figures.show("at worst", max(times), None, "s")
    figures.show("calls of providers for each", sum(calls.calls.values()) / rounds, None)


async def _timed(engine: Engine, records: Any) -> float:
    began = time.perf_counter()
    await engine.watcher.look(records)
    return time.perf_counter() - began


async def _idle(engine: Engine, figures: Figures, calls: Calls, seconds: float) -> None:
    listening = engine.subscribe()
    await asyncio.sleep(2)
    calls.reset()
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(seconds)
    after = resource.getrusage(resource.RUSAGE_SELF)
    listening.close()
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    minutes = seconds / 60
    figures.show("idle: calls of providers in a minute", sum(calls.calls.values()) / minutes, 0)
    figures.show("idle: messages to daemons in a minute", calls.sent / minutes, None)
    figures.show("idle: share of a core", 100 * spent / seconds, None, "%")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--without", action="append", default=[], choices=ALL[1:])
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bws", dir="/tmp"))
    try:
        with daemons(folder, tuple(name for name in ALL if name not in given.without)) as plans:
            return asyncio.run(measure(folder, plans, given.machines, given.rounds, given.idle))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

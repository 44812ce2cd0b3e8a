"""A running machine moves from one libvirt to another, and its guest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import libvirt
import pytest

from core.errors import ProviderError, UsageError
from core.model.machine import MachineState
from core.providers.base import Migrating
from core.providers.libvirt import migrating
from core.providers.libvirt.address import URI_VARIABLE
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.library import LibvirtError
from tests.providers.bench import Machine
from tests.providers.cancelling import cancel_everywhere
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_faults import objects
from tests.support.libvirtd import Libvirtd
from tests.support.moments import SOON

pytestmark = pytest.mark.real


@pytest.fixture
async def bench(
    session_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LibvirtBench]:
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    made = LibvirtBench(short_folder, session_daemon.uri)
    yield made
    await made.close()


@pytest.fixture
async def machine(bench: LibvirtBench, other_daemon: Libvirtd) -> AsyncIterator[Machine]:
    before = objects(bench.uri), objects(other_daemon.uri)
    made = Machine(bench, bench.plans.make())
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []
    assert (objects(bench.uri), objects(other_daemon.uri)) == before


async def move(machine: Machine, daemon: Libvirtd) -> None:
    assert isinstance(machine.bench, LibvirtBench)
    await machine.bench.hang_up(machine.plan)
    assert isinstance(machine.provider, Migrating)
    await machine.provider.migrate(machine.plan, daemon.uri, machine.work())


async def test_the_guest_goes_on_where_it_is_moved_to(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd, other_daemon: Libvirtd
) -> None:
    began = await (await machine.create()).provider.start(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    await bench.store(machine.plan)
    await move(machine, other_daemon)
    assert objects(session_daemon.uri)["domains"] == []
    seen = await machine.seen()
    assert seen.state is MachineState.RUNNING
    assert seen.started and seen.started.ports == began.ports
    assert await bench.count(machine.plan) == 2
    await move(machine, session_daemon)
    assert await bench.count(machine.plan) == 3
    assert await bench.stored(machine.plan) == 1
    await machine.provider.stop(machine.plan, machine.work())
    await machine.start()
    assert await bench.count(machine.plan) == 1


async def test_what_cannot_be_moved_stays_where_it_is(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd, other_daemon: Libvirtd
) -> None:
    await machine.create()
    with pytest.raises(ProviderError, match="does not run"):
        await move(machine, other_daemon)
    await machine.start()
    with pytest.raises(UsageError, match="already"):
        await move(machine, session_daemon)
    assert isinstance(machine.provider, Migrating)
    with pytest.raises(ProviderError, match="cannot be moved"):
        await machine.provider.migrate(machine.plan, "qemu+ssh://far/system", machine.work())
    assert await bench.count(machine.plan) == 1


async def test_a_cancelled_move_leaves_the_machine_running_in_one_place(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd, other_daemon: Libvirtd
) -> None:
    await (await machine.create()).start()
    count = 0

    async def prepare(_: Machine) -> None:
        nonlocal count
        count += 1
        assert await bench.count(machine.plan) == count
        await bench.hang_up(machine.plan)

    async def check(_: Machine) -> None:
        assert await machine.state() is MachineState.RUNNING
        places = [daemon for daemon in (session_daemon, other_daemon) if objects(daemon.uri)["domains"]]
        assert len(places) == 1
        await prepare(machine)
        if places == [other_daemon]:
            await move(machine, session_daemon)

    def begin(machine: Machine, work: object) -> object:
        assert isinstance(machine.provider, Migrating)
        return machine.provider.migrate(machine.plan, other_daemon.uri, work)  # type: ignore[arg-type]

    await cancel_everywhere(lambda: machine, begin, prepare=prepare, check=check)  # type: ignore[arg-type]


async def test_a_move_that_libvirt_does_not_abort_by_itself_ends_all_the_same(
    bench: LibvirtBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aborted at the moment of the hand-over, libvirt waits until the guest stops, which goes on already: no
    test can hit that moment at will, so a move stands in that waits for the same."""
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    monkeypatch.setattr(migrating, "STUCK", 0.1)
    stopped = asyncio.Event()

    def happened(_uuid: str, event: int, _detail: int) -> None:
        if event == libvirt.VIR_DOMAIN_EVENT_SUSPENDED:
            stopped.set()

    async def wait_for_the_stop() -> None:
        await stopped.wait()
        raise LibvirtError("canceled by client")

    connection = Connection(bench.uri, happened, lambda: None)
    moving = asyncio.ensure_future(wait_for_the_stop())
    await asyncio.wait_for(migrating.end(connection, machine.plan, moving), SOON)
    await connection.close()
    assert await bench.count(machine.plan) == 2

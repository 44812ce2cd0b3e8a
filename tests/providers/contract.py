"""What every provider does: run unchanged against each, on the real hypervisor, and against the fake.

A test module makes a class of its own out of :class:`ProviderContract` and gives it a ``bench``. For
containers, whose memory nobody saves, it is :class:`GuestContract`. Where guests cannot run (no hypervisor
in the processor, no kernel module), :class:`StoppedContract` is what holds.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable
from pathlib import Path

import pytest

from core.errors import BusyError, ProviderError
from core.model.machine import ExtraDisk, MachineState, WantedPort
from core.model.provider import Capability
from core.providers.base import Console, StateChange
from tests.providers.bench import SSH, Bench, Machine, NewMachine
from tests.providers.cancelling import Action, cancel_everywhere
from tests.providers.stopped import StoppedContract, machines
from tests.support.moments import SOON

__all__ = ["GuestContract", "ProviderContract", "machines"]


async def soon(waited: Awaitable[StateChange]) -> StateChange:
    return await asyncio.wait_for(waited, SOON)


async def read_until(console: Console, end: bytes) -> bytes:
    """What the console says up to ``end``."""
    said = b""
    async with asyncio.timeout(SOON):
        while end not in said:
            data = await console.read()
            assert data, f"the console ended after {said!r}"
            said += data
    return said


def busy_port() -> tuple[socket.socket, int]:
    """A listener of somebody else, outside of the ports that are chosen freely."""
    for port in range(31000, 32000):
        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
            return listener, port
        except OSError:
            listener.close()
    raise AssertionError("no free port")


def has_memory(bench: Bench) -> bool:
    """Whether a snapshot of a running machine goes on where it was."""
    return Capability.SNAPSHOT_MEMORY in bench.provider.capabilities


class GuestContract(StoppedContract):
    """Life cycle, faults from outside, adoption, snapshots, ports, consoles."""

    async def test_probe_is_usable_and_its_capabilities_are_those_of_the_class(self, bench: Bench) -> None:
        probe = await bench.provider.probe()
        assert probe.usable, probe.why
        assert probe.version
        assert set(probe.capabilities) == bench.provider.capabilities

    async def test_a_machine_lives_from_create_to_destroy(self, bench: Bench, machines: NewMachine) -> None:
        shows = Capability.SCREEN in bench.provider.capabilities
        machine = machines(options={"display": "vnc"} if shows else {})
        assert await machine.state() is MachineState.ABSENT
        await machine.create()
        assert await machine.state() is MachineState.STOPPED
        began = await machine.provider.start(machine.plan, machine.work())
        assert await machine.state() is MachineState.RUNNING
        assert (await machine.seen()).started == began
        assert bool(began.screen) is shows
        assert await bench.count(machine.plan) == 1
        await machine.provider.stop(machine.plan, machine.work())
        assert await machine.state() is MachineState.STOPPED
        await machine.destroy()
        assert await machine.state() is MachineState.ABSENT
        assert await bench.traces(machine.plan) == []

    async def test_a_running_machine_is_not_started_again(self, bench: Bench, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        with pytest.raises(ProviderError):
            await machine.start()
        assert await bench.count(machine.plan) == 1

    async def test_a_guest_that_ignores_the_power_button_is_forced(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines(halt_timeout=0.3).create()).start()
        await bench.deafen(machine.plan)
        work = machine.work()
        await machine.provider.stop(machine.plan, work)
        assert await machine.state() is MachineState.STOPPED
        assert "by force" in work.notes[-1]

    async def test_force_does_not_ask_the_guest(self, bench: Bench, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        await bench.deafen(machine.plan)
        await asyncio.wait_for(machine.provider.stop(machine.plan, machine.work(), force=True), SOON)
        assert await machine.state() is MachineState.STOPPED

    async def test_disks_outlive_a_halt_and_memory_does_not(self, bench: Bench, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        assert [await bench.count(machine.plan) for _ in range(3)] == [1, 2, 3]
        await bench.store(machine.plan)
        await machine.provider.stop(machine.plan, machine.work())
        await machine.start()
        assert await bench.stored(machine.plan) == 3
        assert await bench.count(machine.plan) == 1

    async def test_machines_of_one_box_do_not_share_what_they_write(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        one, other = [await (await machines().create()).start() for _ in range(2)]
        await bench.count(one.plan)
        await bench.store(one.plan)
        for _ in range(2):
            await bench.count(other.plan)
        await bench.store(other.plan)
        assert await bench.stored(one.plan) == 1
        assert await bench.stored(other.plan) == 2

    # Destroying

    async def test_destroy_ends_a_running_machine(self, bench: Bench, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        await machine.destroy()
        assert await bench.traces(machine.plan) == []

    async def test_destroy_removes_a_suspended_and_a_broken_machine(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        for broken in (True, False):
            machine = await (await machines().create()).start()
            await machine.provider.suspend(machine.plan, machine.work())
            if broken:
                await bench.lose_disk(machine.plan)
            await machine.destroy()
            assert await bench.traces(machine.plan) == []

    # Changes from outside

    async def test_a_killed_machine_is_stopped_and_starts_again(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        changes = bench.provider.watch()
        await bench.kill(machine.plan)
        change = await soon(anext(changes))
        assert change.id == machine.plan.id
        assert change.seen.state is MachineState.STOPPED
        assert change.seen.trouble, "it says that nobody here did it"
        assert await machine.state() is MachineState.STOPPED
        await machine.start()
        assert await bench.count(machine.plan) == 1

    async def test_a_guest_that_powers_off_is_pushed_without_trouble(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        changes = bench.provider.watch()
        await bench.power_off(machine.plan)
        change = await soon(anext(changes))
        if change.seen.state is MachineState.STOPPING:
            # Some hypervisors are seen on the way.
            change = await soon(anext(changes))
        assert (change.id, change.seen.state, change.seen.trouble) == (
            machine.plan.id,
            MachineState.STOPPED,
            "",
        )

    async def test_what_we_do_ourselves_is_not_pushed(self, bench: Bench, machines: NewMachine) -> None:
        one, other = [await machines().create() for _ in range(2)]
        changes = bench.provider.watch()
        await one.start()
        await one.provider.suspend(one.plan, one.work())
        await one.provider.resume(one.plan, one.work())
        assert await bench.count(one.plan) == 1
        await one.provider.stop(one.plan, one.work())
        await other.start()
        await bench.kill(other.plan)
        assert (await soon(anext(changes))).id == other.plan.id

    # Adoption

    async def test_the_next_engine_finds_machines_as_they_are(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        running = await (await machines().create()).start()
        stopped = await machines().create()
        suspended = await (await machines().create()).start()
        absent = machines()
        await suspended.provider.suspend(suspended.plan, suspended.work())
        before = await running.seen()
        await bench.provider.close()
        provider = bench.again()
        plans = [running.plan, stopped.plan, suspended.plan, absent.plan]
        seen = await provider.states(plans)
        assert [seen[plan.id].state for plan in plans] == [
            MachineState.RUNNING,
            MachineState.STOPPED,
            MachineState.SUSPENDED,
            MachineState.ABSENT,
        ]
        assert seen[running.plan.id] == before
        changes = provider.watch()
        await bench.kill(running.plan)
        assert (await soon(anext(changes))).seen.state is MachineState.STOPPED
        await provider.resume(suspended.plan, suspended.work())
        assert await bench.count(suspended.plan) == 1
        await provider.stop(suspended.plan, suspended.work())
        await provider.close()

    # Suspending

    async def test_a_suspended_machine_goes_on_where_it_was(self, bench: Bench, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await bench.count(machine.plan)
        work = machine.work()
        await machine.provider.suspend(machine.plan, work)
        assert await machine.state() is MachineState.SUSPENDED
        assert work.progresses or work.notes, "it says what it is doing"
        began = await machine.provider.resume(machine.plan, machine.work())
        assert await machine.state() is MachineState.RUNNING
        assert (await machine.seen()).started == began
        assert await bench.count(machine.plan) == 3

    async def test_a_suspended_machine_is_not_started_afresh(self, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        await machine.provider.suspend(machine.plan, machine.work())
        with pytest.raises(ProviderError, match="suspended"):
            await machine.start()
        assert await machine.state() is MachineState.SUSPENDED

    async def test_stopping_a_suspended_machine_gives_its_memory_up(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await machine.provider.suspend(machine.plan, machine.work())
        await machine.provider.stop(machine.plan, machine.work())
        assert await machine.state() is MachineState.STOPPED
        await machine.start()
        assert await bench.count(machine.plan) == 1

    # Snapshots

    async def test_a_snapshot_of_a_stopped_machine_is_its_disks(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await bench.store(machine.plan)
        await machine.provider.stop(machine.plan, machine.work())
        await machine.provider.save_snapshot(machine.plan, "off", machine.work())
        (point,) = await machine.provider.snapshots(machine.plan)
        assert not point.has_memory
        await machine.start()
        for _ in range(3):
            await bench.count(machine.plan)
        await bench.store(machine.plan)
        assert await machine.provider.restore_snapshot(machine.plan, "off", machine.work()), "it ran: it runs"
        assert await bench.stored(machine.plan) == 1
        await machine.provider.stop(machine.plan, machine.work())
        assert await machine.provider.restore_snapshot(machine.plan, "off", machine.work()) is None
        assert await machine.state() is MachineState.STOPPED

    async def test_snapshots_know_their_parents(self, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        provider, plan = machine.provider, machine.plan
        for name in ("a", "b", "c"):
            await provider.save_snapshot(plan, name, machine.work())
        await provider.restore_snapshot(plan, "a", machine.work())
        await provider.save_snapshot(plan, "d", machine.work())
        await provider.delete_snapshot(plan, "b", machine.work())
        found = {point.name: point for point in await provider.snapshots(plan)}
        assert {name: point.parent for name, point in found.items()} == {"a": "", "c": "a", "d": "a"}
        assert [point.name for point in found.values() if point.current] == ["d"]
        await provider.delete_snapshot(plan, "d", machine.work())
        await provider.stop(plan, machine.work(), force=True)
        await provider.delete_snapshot(plan, "c", machine.work())
        (left,) = await provider.snapshots(plan)
        assert (left.name, left.current) == ("a", True)

    # Ports

    async def test_every_machine_gets_ports_of_its_own_and_keeps_them(self, machines: NewMachine) -> None:
        wanted = (SSH, WantedPort(guest=80))
        some = [await (await machines(ports=wanted).create()).start() for _ in range(3)]
        ports = []
        for machine in some:
            began = (await machine.seen()).started
            assert began is not None
            assert began.communicator != SSH.name or began.ssh_port == began.ports[0].host
            assert 80 in {forward.guest for forward in began.ports}
            ports.append([forward.host for forward in began.ports])
        assert len({port for each in ports for port in each}) == sum(map(len, ports))
        await some[0].provider.stop(some[0].plan, some[0].work(), force=True)
        await some[0].start()
        began = (await some[0].seen()).started
        assert began and [forward.host for forward in began.ports] == ports[0]

    async def test_machines_that_start_together_get_different_ports(self, machines: NewMachine) -> None:
        wanted = (SSH, WantedPort(guest=80, host=31999))
        some = [await machines(ports=wanted).create() for _ in range(3)]
        await asyncio.gather(*(machine.start() for machine in some))
        hosts = []
        for machine in some:
            began = (await machine.seen()).started
            assert began
            hosts += [forward.host for forward in began.ports]
        assert len(set(hosts)) == len(hosts) >= 3

    async def test_a_taken_port_is_corrected_and_said_so(self, machines: NewMachine) -> None:
        listener, port = busy_port()
        with listener:
            machine = await machines(ports=(SSH, WantedPort(guest=80, host=port))).create()
            began = await machine.provider.start(machine.plan, machine.work())
        forward = next(forward for forward in began.ports if forward.guest == 80)
        assert forward.host > port
        assert forward.wanted == port

    async def test_a_taken_port_that_may_not_be_corrected_is_an_error(self, machines: NewMachine) -> None:
        listener, port = busy_port()
        with listener:
            wanted = WantedPort(guest=80, host=port, auto_correct=False)
            machine = await machines(ports=(SSH, wanted)).create()
            work = machine.work()
            with pytest.raises(BusyError) as raised:
                await machine.provider.start(machine.plan, work)
            assert str(port) in raised.value.problem.what
            assert "process" in raised.value.problem.why, "it names the holder"
            await work.undo()
            assert await machine.state() is MachineState.STOPPED
        began = await machine.provider.start(machine.plan, machine.work())
        assert [forward.host for forward in began.ports if forward.guest == 80] == [port]

    # Consoles, statistics, disks

    async def test_consoles_begin_with_the_past_and_all_see_the_same(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        first = await machine.provider.console(machine.plan)
        assert (await read_until(first, b"ready")).rstrip().endswith(b"ready")
        second = await machine.provider.console(machine.plan)
        await first.write(b"x")
        assert b"x" in await read_until(first, b"x")
        assert b"ready" in await read_until(second, b"x")
        await first.close()
        await second.write(b"y")
        await read_until(second, b"y")
        log = machine.provider.serial_log(machine.plan)
        assert log and b"ready" in Path(log).read_bytes()
        await bench.kill(machine.plan)
        async with asyncio.timeout(SOON):
            while await second.read():
                pass
        await second.close()

    async def test_statistics_are_totals(self, machines: NewMachine) -> None:
        machine = await (await machines().create()).start()
        first = await machine.provider.stats(machine.plan)
        second = await machine.provider.stats(machine.plan)
        assert first.memory > 0
        assert second.cpu_seconds >= first.cpu_seconds
        assert second.disk_read >= first.disk_read
        assert second.time >= first.time

    async def test_extra_disks_come_with_the_machine(self, bench: Bench, machines: NewMachine) -> None:
        disks = (ExtraDisk(name="data", size=10 << 30), ExtraDisk(name="more, with comma", size=1 << 20))
        machine = await (await machines(extra_disks=disks).create()).start()
        assert await bench.count(machine.plan) == 1
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await bench.count(machine.plan) == (2 if has_memory(bench) else 1)

    # Cancelling

    async def test_a_cancelled_start_leaves_a_stopped_machine(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await machines().create()

        async def check(machine: Machine) -> None:
            assert await machine.state() is MachineState.STOPPED

        async def prepare(_machine: Machine) -> None:
            await machine.provider.stop(machine.plan, machine.work(), force=True)

        await cancel_everywhere(
            lambda: machine, lambda m, w: m.provider.start(m.plan, w), prepare=prepare, check=check
        )
        assert await bench.count(machine.plan) == 1

    async def test_a_cancelled_suspension_loses_nothing(self, bench: Bench, machines: NewMachine) -> None:
        await self._memory_is_kept(bench, machines, lambda m, w: m.provider.suspend(m.plan, w), suspend=False)

    async def test_a_cancelled_resumption_loses_nothing(self, bench: Bench, machines: NewMachine) -> None:
        await self._memory_is_kept(bench, machines, lambda m, w: m.provider.resume(m.plan, w), suspend=True)

    async def _memory_is_kept(
        self, bench: Bench, machines: NewMachine, action: Action, *, suspend: bool
    ) -> None:
        machine = await (await machines().create()).start()
        count = await bench.count(machine.plan)

        async def prepare(_machine: Machine) -> None:
            state = await machine.state()
            if suspend and state is MachineState.RUNNING:
                await machine.provider.suspend(machine.plan, machine.work())
            elif not suspend and state is MachineState.SUSPENDED:
                await machine.provider.resume(machine.plan, machine.work())

        async def check(_machine: Machine) -> None:
            nonlocal count
            state = await machine.state()
            assert state in (MachineState.RUNNING, MachineState.SUSPENDED)
            if state is MachineState.SUSPENDED:
                await machine.provider.resume(machine.plan, machine.work())
            count += 1
            assert await bench.count(machine.plan) == count

        await cancel_everywhere(lambda: machine, action, prepare=prepare, check=check)

    async def test_a_cancelled_snapshot_is_none(self, bench: Bench, machines: NewMachine) -> None:
        for running in (True, False):
            machine = await machines().create()
            if running:
                await machine.start()

            async def check(machine: Machine, running: bool = running) -> None:
                assert await machine.provider.snapshots(machine.plan) == ()
                wanted = MachineState.RUNNING if running else MachineState.STOPPED
                assert await machine.state() is wanted

            await cancel_everywhere(
                itertools.repeat(machine).__next__,
                lambda m, w: m.provider.save_snapshot(m.plan, "one", w),
                prepare=None,
                check=check,
            )
            await machine.provider.restore_snapshot(machine.plan, "one", machine.work())

    async def test_a_cancelled_restoration_can_be_done_again(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())

        async def check(machine: Machine) -> None:
            seen = await machine.seen()
            assert seen.state in (MachineState.RUNNING, MachineState.STOPPED), seen
            began = await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
            if not has_memory(bench):
                assert (began is not None) == (seen.state is MachineState.RUNNING)
                await machine.provider.stop(machine.plan, machine.work(), force=True)
                await machine.start()
            assert await bench.count(machine.plan) == (2 if has_memory(bench) else 1)

        await cancel_everywhere(
            lambda: machine,
            lambda m, w: m.provider.restore_snapshot(m.plan, "one", w),
            prepare=None,
            check=check,
        )

    async def test_a_cancelled_halt_or_destroy_can_be_done_again(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await machines().create()

        async def prepare(_machine: Machine) -> None:
            if await machine.state() is MachineState.STOPPED:
                await machine.start()
            assert await bench.count(machine.plan), "the guest listens"

        async def check(_machine: Machine) -> None:
            await machine.provider.stop(machine.plan, machine.work(), force=True)
            assert await machine.state() is MachineState.STOPPED

        await cancel_everywhere(
            lambda: machine, lambda m, w: m.provider.stop(m.plan, w), prepare=prepare, check=check
        )

        async def begin(machine: Machine) -> None:
            await (await machine.create()).start()

        async def check_gone(machine: Machine) -> None:
            await machine.destroy()
            assert await bench.traces(machine.plan) == []

        await cancel_everywhere(
            machines, lambda m, w: m.provider.destroy(m.plan, w), prepare=begin, check=check_gone
        )

    async def test_every_undo_can_be_done_twice(self, bench: Bench, machines: NewMachine) -> None:
        machine = machines()
        provider, plan, work = machine.provider, machine.plan, machine.work()
        await provider.create(plan, work)
        await provider.start(plan, work)
        await provider.suspend(plan, work)
        await provider.resume(plan, work)
        if Capability.SNAPSHOT in provider.capabilities:
            await provider.save_snapshot(plan, "one", work)
        for _ in range(2):
            for intent in reversed(work.intents):
                await provider.undo[intent.kind](intent.facts)
        assert await bench.traces(plan) == []


class ProviderContract(GuestContract):
    """Besides, for hypervisors: disks that can be lost under a machine, and memory that is saved."""

    async def test_a_running_machine_without_its_disk_says_so(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.lose_disk(machine.plan)
        seen = await machine.seen()
        assert seen.state is MachineState.RUNNING
        assert "gone" in seen.trouble

    async def test_a_snapshot_of_a_running_machine_has_its_memory(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await bench.store(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        (point,) = await machine.provider.snapshots(machine.plan)
        assert (point.name, point.has_memory, point.current, point.parent) == ("one", True, True, "")
        await bench.count(machine.plan)
        await bench.store(machine.plan)
        began = await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert began is not None
        assert await bench.stored(machine.plan) == 1
        assert await bench.count(machine.plan) == 2
        assert await machine.state() is MachineState.RUNNING

    async def test_memory_comes_back_into_a_stopped_and_a_suspended_machine(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        await machine.provider.stop(machine.plan, machine.work(), force=True)
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await bench.count(machine.plan) == 2
        await machine.provider.suspend(machine.plan, machine.work())
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await bench.count(machine.plan) == 2
        await machine.provider.stop(machine.plan, machine.work(), force=True)
        await machine.provider.start(machine.plan, machine.work(), snapshot="one")
        assert await bench.count(machine.plan) == 2

"""What goes wrong around real QEMU: each has a clear error, and loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import BusyError, ProviderError, UsageError
from core.model.machine import ExtraDisk, MachineState, WantedPort
from core.providers import ports
from core.providers.qemu import QemuProvider, links, processes, states
from core.providers.qemu.layout import Layout
from tests.providers.bench import SSH, Machine, refuses_another_architecture
from tests.providers.contract import busy_port, soon
from tests.providers.qemu.test_contract import QemuBench
from tests.support.moments import SOON

pytestmark = pytest.mark.real


@pytest.fixture
async def bench(short_folder: Path) -> AsyncIterator[QemuBench]:
    made = QemuBench(short_folder)
    yield made
    for provider in (made.provider, *made.later):
        await provider.close()


@pytest.fixture
async def machine(bench: QemuBench) -> AsyncIterator[Machine]:
    made = Machine(bench, bench.plans.make())
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []


@pytest.fixture
def small_disk(short_folder: Path) -> Iterator[Path]:
    """A file system of 8 MiB, with the machines' folders on it."""
    folder = short_folder / "machines"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all room that is left."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return path
    raise AssertionError("it never got full")


def use(machine: Machine, **changes: Any) -> None:
    """Go on with another plan of the same machine."""
    machine.plan = msgspec.structs.replace(machine.plan, **changes)


async def said_by_start(machine: Machine, /, **options: Any) -> ProviderError:
    use(machine, options=options)
    work = machine.work()
    with pytest.raises(ProviderError) as raised:
        await machine.provider.start(machine.plan, work)
    await work.undo()
    assert await machine.state() is MachineState.STOPPED
    return raised.value


# QEMU dies as it is started


async def test_qemu_that_refuses_an_argument_ends_with_its_own_words(machine: Machine) -> None:
    await machine.create()
    problem = (await said_by_start(machine, args=["-no-such-option"])).problem
    assert "ended as it was started" in problem.what
    assert any("-no-such-option" in line for line in problem.tail)
    assert "args" in problem.remedy
    problem = (await said_by_start(machine, machine="nonsense")).problem
    assert "unsupported machine type" in problem.why
    problem = (await said_by_start(machine, cpu="nonsense")).problem
    assert "nonsense" in problem.why


async def test_too_much_memory_is_said_so(machine: Machine) -> None:
    await machine.create()
    use(machine, memory=1 << 50)
    problem = (await said_by_start(machine)).problem
    assert problem.remedy
    assert problem.tail


async def test_kvm_that_is_not_there_is_refused_before_the_start(machine: Machine) -> None:
    await machine.create()
    if Path("/dev/kvm").exists() and {"vmx", "svm"} & set(Path("/proc/cpuinfo").read_text().split()):
        await machine.provider.start(
            msgspec.structs.replace(machine.plan, options={"accelerator": "kvm"}), machine.work()
        )
        return
    problem = (await said_by_start(machine, accelerator="kvm")).problem
    assert "kvm" in problem.what
    assert problem.remedy


async def test_wrong_options_are_refused_before_anything_is_made(bench: QemuBench, machine: Machine) -> None:
    use(machine, options={"accelerater": "tcg"})
    with pytest.raises(UsageError) as raised:
        await machine.create()
    assert "'accelerator'" in raised.value.problem.remedy
    assert await bench.traces(machine.plan) == []


async def test_a_disk_in_use_is_said_so(bench: QemuBench, machine: Machine) -> None:
    await machine.create()
    disk = Layout.of(machine.plan).home / "disk0.qcow2"
    argv = ["qemu-system-x86_64", "-S", "-display", "none", "-nodefaults", "-qmp", "stdio", str(disk)]
    other = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    try:
        problem = (await said_by_start(machine)).problem
        assert "Another process uses the machine's disk" in problem.why
    finally:
        other.kill()
        other.communicate()
    await machine.start()


async def test_a_folder_for_sockets_with_too_long_a_path_is_said_so(machine: Machine) -> None:
    use(machine, runtime=str(Path(machine.plan.runtime) / ("x" * 120)))
    await machine.create()
    assert "XDG_RUNTIME_DIR" in (await said_by_start(machine)).problem.remedy


# Ports


async def test_a_port_taken_between_choice_and_start_is_corrected(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, port = busy_port()
    honest = ports.is_free
    monkeypatch.setattr(ports, "is_free", lambda protocol, number: number == port or honest(protocol, number))
    use(machine, ports=(SSH, WantedPort(guest=80, host=port)))
    await machine.create()
    with listener:
        began = await machine.provider.start(machine.plan, machine.work())
    moved = next(forward for forward in began.ports if forward.guest == 80)
    assert (moved.host > port, moved.wanted) == (True, port)


async def test_a_port_taken_between_choice_and_start_may_be_an_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, port = busy_port()
    monkeypatch.setattr(ports, "is_free", lambda protocol, number: True)
    use(machine, ports=(SSH, WantedPort(guest=80, host=port, auto_correct=False)))
    await machine.create()
    work = machine.work()
    with listener, pytest.raises(BusyError) as raised:
        await machine.provider.start(machine.plan, work)
    assert str(os.getpid()) in raised.value.problem.why
    await work.undo()
    assert await machine.state() is MachineState.STOPPED


async def test_udp_ports_are_forwarded_too(machine: Machine) -> None:
    use(machine, ports=(SSH, WantedPort(guest=53, protocol="udp")))
    await machine.create()
    began = await machine.provider.start(machine.plan, machine.work())
    udp = next(forward for forward in began.ports if forward.protocol == "udp")
    assert not ports.is_free("udp", udp.host)
    assert "qemu" in ports.holder("udp", udp.host)


# Processes and sockets


async def test_a_pid_that_now_belongs_to_somebody_else_is_not_the_machine(machine: Machine) -> None:
    await (await machine.create()).start()
    await machine.provider.stop(machine.plan, machine.work(), force=True)
    Layout.of(machine.plan).pid_file.write_text(f"{os.getpid()}\n")
    assert await machine.state() is MachineState.STOPPED
    await machine.provider.stop(machine.plan, machine.work(), force=True)
    await machine.provider.undo["qemu.process"](
        {"id": machine.plan.id, "folder": machine.plan.folder, "runtime": machine.plan.runtime}
    )
    await machine.start()


@pytest.mark.parametrize("content", ["", "rubbish", "99999999999999999999", "-1"])
async def test_a_running_machine_is_found_without_its_pid_file(machine: Machine, content: str) -> None:
    await (await machine.create()).start()
    Layout.of(machine.plan).pid_file.write_text(content)
    assert await machine.state() is MachineState.RUNNING
    await machine.provider.stop(machine.plan, machine.work(), force=True)
    assert await machine.state() is MachineState.STOPPED


async def test_a_machine_whose_sockets_were_deleted_still_stops(
    bench: QemuBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await machine.create()).start()
    await bench.provider.close()
    for socket in Layout.of(machine.plan).sockets:
        socket.unlink(missing_ok=True)
    machine.provider = bench.again()
    seen = await machine.seen()
    assert seen.state is MachineState.RUNNING
    assert "control socket" in seen.trouble
    await machine.provider.stop(machine.plan, machine.work())
    assert await machine.state() is MachineState.STOPPED


async def test_a_control_socket_that_somebody_else_holds_is_said_so(
    bench: QemuBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "CONNECT_TIMEOUT", 0.2)
    await (await machine.create()).start()
    second = bench.again()
    seen = (await second.states([machine.plan]))[machine.plan.id]
    assert seen.state is MachineState.RUNNING
    assert "another program" in seen.trouble
    assert seen.started == (await machine.seen()).started


async def test_a_runtime_folder_that_vanished_is_made_again(bench: QemuBench, machine: Machine) -> None:
    await (await machine.create()).start()
    await machine.provider.suspend(machine.plan, machine.work())
    assert not Path(machine.plan.runtime).exists()
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1


async def test_a_box_for_an_architecture_without_its_emulator_names_the_package(machine: Machine) -> None:
    error = await refuses_another_architecture(machine)
    assert "qemu-system-riscv64" in error.problem.what and "install" in error.problem.remedy


async def test_a_qemu_that_hangs_is_given_up_and_ends_with_its_machine(
    bench: QemuBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "PATIENCE", 2.0)
    other = Machine(bench, bench.plans.make())
    for one in (machine, other):
        await (await one.create()).start()
    pid = processes.find(Layout.of(machine.plan).pid_file)
    assert pid
    os.kill(pid, signal.SIGSTOP)
    looking = asyncio.create_task(machine.seen())
    assert await bench.count(other.plan) == 1, "the loop stays live"
    assert (await asyncio.wait_for(other.seen(), SOON)).state is MachineState.RUNNING
    seen = await asyncio.wait_for(looking, SOON)
    assert seen.state is MachineState.RUNNING and "did not answer" in seen.trouble
    for one in (machine, other):
        await asyncio.wait_for(one.destroy(), SOON)
        assert await bench.traces(one.plan) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": 1}', b"\xff\xfe", b"null"])
async def test_a_damaged_record_is_a_broken_machine_that_can_be_destroyed(
    bench: QemuBench, machine: Machine, content: bytes
) -> None:
    await machine.create()
    Layout.of(machine.plan).record.write_bytes(content)
    seen = await machine.seen()
    assert seen.state is MachineState.BROKEN
    assert "destroy" in seen.trouble
    await machine.destroy()
    assert await bench.traces(machine.plan) == []


async def test_a_lost_record_is_a_broken_machine(machine: Machine) -> None:
    await machine.create()
    Layout.of(machine.plan).record.unlink()
    assert await machine.state() is MachineState.BROKEN


async def test_a_pause_from_outside_is_pushed_and_resume_mends_it(bench: QemuBench, machine: Machine) -> None:
    second = Path(machine.plan.runtime) / "second"
    use(machine, options={"args": ["-qmp", f"unix:{second},server=on,wait=off"]})
    await (await machine.create()).start()
    changes = machine.provider.watch()
    reader, writer = await asyncio.open_unix_connection(str(second))
    for command in ("qmp_capabilities", "stop"):
        writer.write(json.dumps({"execute": command}).encode())
    change = await soon(anext(changes))
    assert change.seen.state is MachineState.SUSPENDED
    assert "Paused from outside" in change.seen.trouble
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    writer.write(b'{"execute": "stop"}')
    assert (await soon(anext(changes))).seen.state is MachineState.SUSPENDED
    writer.write(b'{"execute": "cont"}')
    assert (await soon(anext(changes))).seen.state is MachineState.RUNNING
    writer.close()
    second.unlink()
    assert reader is not None


# The host's disk is full


async def test_a_full_disk_at_suspension_leaves_the_machine_running(
    small_disk: Path, bench: QemuBench, machine: Machine
) -> None:
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    filler = fill(small_disk)
    with filler.open("r+b") as file:
        file.truncate(filler.stat().st_size - 256 * 1024)
    with pytest.raises(ProviderError) as raised:
        await machine.provider.suspend(machine.plan, machine.work())
    assert "full" in raised.value.problem.why
    assert "free some space" in raised.value.problem.remedy
    assert await machine.state() is MachineState.RUNNING
    assert await bench.count(machine.plan) == 2
    filler.unlink()
    await machine.provider.suspend(machine.plan, machine.work())
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 3


async def test_a_full_disk_at_a_snapshot_leaves_the_machine_running(
    small_disk: Path, bench: QemuBench, machine: Machine
) -> None:
    await (await machine.create()).start()
    filler = fill(small_disk)
    with filler.open("r+b") as file:
        file.truncate(filler.stat().st_size - 128 * 1024)
    work = machine.work()
    with pytest.raises(ProviderError) as raised:
        await machine.provider.save_snapshot(machine.plan, "one", work)
    assert "runs on" in raised.value.problem.what
    assert "full" in raised.value.problem.why
    assert "free some space" in raised.value.problem.remedy
    await work.undo()
    assert await machine.provider.snapshots(machine.plan) == ()
    assert await bench.count(machine.plan) == 1
    filler.unlink()
    await machine.provider.save_snapshot(machine.plan, "one", machine.work())


async def test_a_full_disk_at_creation_leaves_nothing(
    small_disk: Path, bench: QemuBench, machine: Machine
) -> None:
    filler = fill(small_disk)
    work = machine.work()
    with pytest.raises((ProviderError, OSError)):
        await machine.create()
    await work.undo()
    filler.unlink()


async def test_a_guest_on_a_full_disk_is_paused_and_goes_on(
    small_disk: Path, bench: QemuBench, machine: Machine
) -> None:
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    changes = machine.provider.watch()
    filler = fill(small_disk)
    writing = asyncio.ensure_future(bench.store(machine.plan))
    change = await soon(anext(changes))
    assert change.seen.state is MachineState.SUSPENDED
    assert "the host's disk is full" in change.seen.trouble
    assert "boxwright resume" in change.seen.trouble
    filler.unlink()
    await machine.provider.resume(machine.plan, machine.work())
    await asyncio.wait_for(writing, 60)
    assert await bench.stored(machine.plan) == 1


# Saved memory


async def test_saved_memory_that_is_damaged_stays_and_says_so(bench: QemuBench, machine: Machine) -> None:
    await (await machine.create()).start()
    await machine.provider.suspend(machine.plan, machine.work())
    saved = Layout.of(machine.plan).saved
    good = saved.read_bytes()
    for bad in (b"", good[: len(good) // 2], b"rubbish" + good[7:]):
        saved.write_bytes(bad)
        work = machine.work()
        with pytest.raises(ProviderError) as raised:
            await machine.provider.resume(machine.plan, work)
        assert "could not be loaded" in raised.value.problem.what
        await work.undo()
        assert saved.read_bytes() == bad
        assert await machine.state() is MachineState.SUSPENDED
    saved.write_bytes(good)
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1


async def test_memory_needs_the_hardware_that_it_was_saved_from(bench: QemuBench, machine: Machine) -> None:
    """A project that asks for other hardware meanwhile gets it at the next start, not before."""
    await (await machine.create()).start()
    await machine.provider.suspend(machine.plan, machine.work())
    use(machine, memory=128 << 20, cpus=2)
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    await machine.provider.save_snapshot(machine.plan, "small", machine.work())
    await machine.provider.stop(machine.plan, machine.work(), force=True)
    use(machine, extra_disks=(ExtraDisk(name="new", size=1 << 20),))
    await machine.start()
    assert await bench.count(machine.plan) == 1
    await machine.provider.restore_snapshot(machine.plan, "small", machine.work())
    assert await bench.count(machine.plan) == 2


async def test_a_snapshot_that_lost_a_part_is_refused_before_anything_changes(
    bench: QemuBench, machine: Machine
) -> None:
    await machine.create()
    await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    disk = Layout.of(machine.plan).home / "disk0.qcow2"
    tag = json.loads(Layout.of(machine.plan).record.read_bytes())["points"][0]["tag"]
    subprocess.run(["qemu-img", "snapshot", "-d", tag, str(disk)], check=True)
    with pytest.raises(ProviderError, match="damaged"):
        await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
    await machine.provider.delete_snapshot(machine.plan, "one", machine.work())
    assert await machine.provider.snapshots(machine.plan) == ()


async def test_a_suspended_machine_is_not_photographed_without_its_memory(machine: Machine) -> None:
    await (await machine.create()).start()
    await machine.provider.suspend(machine.plan, machine.work())
    with pytest.raises(ProviderError) as raised:
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    assert "boxwright resume" in raised.value.problem.remedy


# Many


async def test_twenty_stopped_machines_are_looked_at_in_one_go(bench: QemuBench) -> None:
    some = [await Machine(bench, bench.plans.make()).create() for _ in range(20)]
    seen = await bench.provider.states([machine.plan for machine in some])
    assert {found.state for found in seen.values()} == {MachineState.STOPPED}


async def test_an_orphan_of_a_start_that_never_ended_is_found_and_killed(
    bench: QemuBench, machine: Machine
) -> None:
    """As after an engine that died between the process and the pid file."""
    await (await machine.create()).start()
    await bench.provider.close()
    layout = Layout.of(machine.plan)
    layout.pid_file.unlink()
    machine.provider = QemuProvider()
    bench.later.append(machine.provider)
    await machine.provider.undo["qemu.process"](
        {"id": machine.plan.id, "folder": machine.plan.folder, "runtime": machine.plan.runtime}
    )
    assert processes.find_all(layout.pid_file) == []


def test_a_process_that_has_only_just_begun_is_found(tmp_path: Path) -> None:
    """A program has no arguments for its first moment: an engine that died there has left one like that."""
    pid_file = tmp_path / "pid"
    command = ["qemu-system-x86_64", "-S", "-machine", "none", "-display", "none", "-pidfile", str(pid_file)]
    for _ in range(20):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            assert processes.find_all(pid_file) == [process.pid]
        finally:
            process.kill()
            process.wait()

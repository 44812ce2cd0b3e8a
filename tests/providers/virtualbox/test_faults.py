"""What can go wrong with the real VirtualBox, and what is said of it then."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from core.errors import ProviderError, UsageError
from core.model.machine import MachineKey, MachineState
from core.providers.base import Pruning
from core.providers.virtualbox import bridge as bridges
from core.providers.virtualbox import host
from core.providers.virtualbox.bridge import VirtualBoxError
from core.providers.virtualbox.context import existing
from core.providers.virtualbox.layout import Layout, machine_name, machine_uuid
from core.providers.virtualbox.provider import VirtualBoxProvider
from tests.providers.bench import Machine, NewMachine
from tests.providers.virtualbox.bench import VirtualBoxBench
from tests.support.interrupt import Interrupted
from tests.support.moments import SOON
from tests.support.virtualbox import VirtualBox

pytestmark = pytest.mark.real


class TestStarting:
    async def test_without_the_kernel_module_it_says_so_with_virtualboxes_words_and_the_remedy(
        self, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        work = machine.work()
        with pytest.raises(ProviderError) as raised:
            await machine.provider.start(machine.plan, work)
        problem = raised.value.problem
        assert problem.what == f"VirtualBox cannot start the machine {machine.plan.key.name}."
        assert "/dev/vboxdrv is not there" in problem.why
        assert "has terminated unexpectedly during startup" in problem.why
        assert "vboxdrv" in problem.remedy or "vboxconfig" in problem.remedy
        await work.undo()
        assert await machine.state() is MachineState.STOPPED
        assert not Path(machine.plan.runtime).exists()

    async def test_the_probe_says_so_before(self, bench: VirtualBoxBench) -> None:
        probe = await bench.provider.probe()
        assert not probe.usable
        assert probe.version.startswith("7.")
        assert "kernel module is not loaded" in probe.why
        assert "vboxdrv" in probe.remedy or "vboxconfig" in probe.remedy
        assert set(probe.capabilities) == bench.provider.capabilities

    async def test_a_start_that_is_cancelled_leaves_a_stopped_machine(self, machines: NewMachine) -> None:
        machine = await machines().create()
        for point in (3, 6, 9):
            work = machine.work()
            interrupted = Interrupted(machine.provider.start(machine.plan, work), point)

            async def run(interrupted: Interrupted[object] = interrupted) -> None:
                await interrupted

            with pytest.raises((asyncio.CancelledError, ProviderError)):
                await asyncio.ensure_future(run())
            await work.undo()
            assert await machine.state() is MachineState.STOPPED


class TestTheDaemon:
    async def test_killed_it_is_started_again_and_nothing_is_lost(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        bench.virtualbox.kill_daemon()
        assert await machine.state() is MachineState.STOPPED
        await machine.provider.save_snapshot(machine.plan, "after", machine.work())

    async def test_killed_in_the_middle_it_leaves_what_can_be_undone(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        for point in (2, 4, 6):
            machine = machines()
            work = machine.work()
            creating = Interrupted(
                machine.provider.create(machine.plan, work), point, act=bench.virtualbox.kill_daemon
            )

            async def run(creating: Interrupted[object] = creating) -> None:
                await creating

            try:
                await asyncio.wait_for(asyncio.ensure_future(run()), SOON)
            except ProviderError as error:
                assert error.problem.remedy
                await work.undo()
                assert await bench.traces(machine.plan) == []
            else:
                assert await machine.state() is MachineState.STOPPED

    async def test_one_that_hangs_is_given_up_and_the_rest_goes_on(
        self, bench: VirtualBoxBench, machines: NewMachine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine = await machines().create()
        monkeypatch.setattr(bridges.Bridge.call, "__kwdefaults__", {"patience": 1.0, "progress": None})
        pid = bench.virtualbox.daemon
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.05)
                    ticks += 1

            ticking = asyncio.ensure_future(tick())
            with pytest.raises(VirtualBoxError) as raised:
                await asyncio.wait_for(machine.state(), SOON)
            ticking.cancel()
            assert raised.value.kind == "silent"
            assert "VBoxSVC" in raised.value.problem.why
            assert ticks >= 3, "the engine lives on meanwhile"
        finally:
            os.kill(pid, signal.SIGCONT)
        monkeypatch.undo()
        for name, value in bench.virtualbox.environment.items():
            monkeypatch.setenv(name, value)
        assert await machine.state() is MachineState.STOPPED


class TestOthers:
    async def test_a_name_that_is_taken_is_an_error_and_its_machine_stays(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        machine = machines()
        name = machine_name(machine.plan)
        manage = bench.virtualbox.manage
        manage("createvm", "--name", name, "--basefolder", str(bench.plans.root / "theirs"), "--register")
        try:
            work = machine.work()
            with pytest.raises(ProviderError, match="somebody else's") as raised:
                await machine.provider.create(machine.plan, work)
            assert "modifyvm" in raised.value.problem.remedy
            await work.undo()
            await machine.destroy()
            assert name in manage("list", "vms")
        finally:
            manage("unregistervm", name, "--delete")

    async def test_a_machine_deleted_behind_our_back_is_broken_and_can_be_destroyed(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        bench.virtualbox.manage("unregistervm", machine_uuid(machine.plan.id), "--delete")
        seen = await machine.seen()
        assert seen.state is MachineState.BROKEN
        assert "boxwright destroy" in seen.trouble
        with pytest.raises(ProviderError):
            await machine.start()
        await machine.destroy()
        assert await bench.traces(machine.plan) == []

    async def test_one_taken_out_of_the_list_is_put_back_by_the_next_start(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        uuid = machine_uuid(machine.plan.id)
        bench.virtualbox.manage("unregistervm", uuid)
        seen = await machine.seen()
        assert seen.state is MachineState.STOPPED
        assert "puts it back" in seen.trouble
        with pytest.raises(ProviderError, match="cannot start"):
            await machine.start()
        assert uuid in bench.virtualbox.manage("list", "vms")

    async def test_one_that_was_renamed_is_still_ours(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        bench.virtualbox.manage("modifyvm", machine_uuid(machine.plan.id), "--name", "something else")
        assert await machine.state() is MachineState.STOPPED
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        await machine.destroy()
        assert await bench.traces(machine.plan) == []

    async def test_what_others_do_is_pushed(self, bench: VirtualBoxBench, machines: NewMachine) -> None:
        machine = await machines().create()
        changes = bench.provider.watch()
        assert await machine.state() is MachineState.STOPPED
        await _listening(bench)
        bench.virtualbox.manage("unregistervm", machine_uuid(machine.plan.id), "--delete")
        change = await asyncio.wait_for(anext(changes), SOON)
        assert change.id == machine.plan.id
        assert change.seen.state is MachineState.BROKEN

    async def test_a_disk_that_nobody_owns_any_more_goes_with_the_machine(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        stray = Layout.of(machine.plan).home / "stray.vdi"
        bench.virtualbox.manage("createmedium", "disk", "--filename", str(stray), "--size", "8")
        assert str(stray) in "\n".join(bench.virtualbox.listing()["disks"])
        await machine.destroy()
        assert await bench.traces(machine.plan) == []

    @pytest.mark.parametrize("restarted", [False, True])
    async def test_what_lay_in_a_folder_that_somebody_deleted_is_forgotten(
        self, bench: VirtualBoxBench, machines: NewMachine, restarted: bool
    ) -> None:
        stays, lost = await machines().create(), await machines().create()
        shutil.rmtree(lost.plan.folder)
        if restarted:
            bench.virtualbox.kill_daemon()
        other = await machines().create()
        await other.destroy()
        listing = bench.virtualbox.listing()
        assert not [line for line in (*listing["machines"], *listing["disks"]) if lost.plan.id in line]
        assert await stays.state() is MachineState.STOPPED
        Path(lost.plan.folder).mkdir()


async def _listening(bench: VirtualBoxBench) -> None:
    """Until VirtualBox's news reach the provider."""
    provider = bench.provider
    assert isinstance(provider, VirtualBoxProvider)
    await asyncio.wait_for(provider.listening.wait(), SOON)


class TestBoxes:
    async def test_a_second_machine_costs_no_import(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        one, other = await machines().create(), await machines().create()
        boxes = [line for line in bench.virtualbox.listing()["machines"] if "boxwright-box-" in line]
        assert len(boxes) == 1
        assert existing(one.plan).disks[0][-1] == existing(other.plan).disks[0][-1]
        await one.destroy()
        assert await other.state() is MachineState.STOPPED

    async def test_machines_of_one_box_can_be_made_together(
        self, bench: VirtualBoxBench, machines: NewMachine
    ) -> None:
        made = [machines() for _ in range(3)]
        await asyncio.gather(*(machine.create() for machine in made))
        seen = await bench.provider.states([machine.plan for machine in made])
        assert {one.state for one in seen.values()} == {MachineState.STOPPED}

    @pytest.mark.parametrize("harm", ["cut", "garbage", "no disk", "two machines"])
    async def test_a_damaged_box_is_refused_with_a_reason(
        self, bench: VirtualBoxBench, machines: NewMachine, harm: str
    ) -> None:
        machine = machines()
        files = machine.plan.box_files
        ovf = Path(files["box.ovf"])
        if harm == "cut":
            ovf.write_bytes(ovf.read_bytes()[:800])
        elif harm == "garbage":
            disk = Path(next(path for name, path in files.items() if name.endswith(".vmdk")))
            disk.write_bytes(b"\0" * 5000)
        elif harm == "no disk":
            text = ovf.read_text()
            begin = text.index("<Item>", text.index("<rasd:Caption>disk") - 200)
            end = text.index("</Item>", begin) + len("</Item>")
            ovf.write_text(text[:begin] + text[end:])
        else:
            text = ovf.read_text()
            begin, end = text.index("<VirtualSystem "), text.index("</VirtualSystem>") + 16
            system = text[begin:end]
            ovf.write_text(
                f'{text[:begin]}<VirtualSystemCollection ovf:id="two">{system}{system}'
                f"</VirtualSystemCollection>{text[end:]}"
            )
        work = machine.work()
        with pytest.raises(ProviderError, match="cannot import the box") as raised:
            await machine.provider.create(machine.plan, work)
        assert raised.value.problem.why
        assert raised.value.problem.remedy
        await work.undo()
        assert await bench.traces(machine.plan) == []
        assert not (bench.plans.root / "virtualbox").exists()

    async def test_a_full_disk_is_said_and_nothing_stays(
        self, bench: VirtualBoxBench, virtualbox: VirtualBox, machines: NewMachine
    ) -> None:
        await machines().create()
        machine = machines()
        with virtualbox.small_disk(Path(machine.plan.folder)):
            work = machine.work()
            with pytest.raises(ProviderError) as raised:
                await machine.provider.create(machine.plan, work)
            assert raised.value.problem.why
            assert "free some space" in raised.value.problem.remedy
            await work.undo()
        assert await bench.traces(machine.plan) == []

    async def test_a_box_without_a_machine_is_refused(self, bench: VirtualBoxBench) -> None:
        machine = Machine(bench, bench.plans.make(box_files={"box.img": "/nowhere"}))
        with pytest.raises(ProviderError, match="no machine of VirtualBox"):
            await machine.create()

    @pytest.mark.parametrize("name", ["a b", "näm&<e>", "--help", "a'\"$(id)`", "x" * 60])
    async def test_any_name_is_only_a_name(
        self, bench: VirtualBoxBench, machines: NewMachine, name: str
    ) -> None:
        machine = machines(key=MachineKey(str(bench.plans.root), name))
        await machine.create()
        assert await machine.state() is MachineState.STOPPED


class TestReaching:
    async def test_who_asks_for_nothing_keeps_no_worker(
        self, bench: VirtualBoxBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bridges, "IDLE", 0.1)
        bridge = bridges.Bridge()
        await bridge.call("about")
        assert bridge.connected
        for _ in range(600):
            if not bridge.connected:
                break
            await asyncio.sleep(0.05)
        assert not bridge.connected
        assert (await bridge.call("about"))["version"]
        await bridge.close()

    async def test_a_python_without_the_binding_is_named_with_the_remedy(
        self, monkeypatch: pytest.MonkeyPatch, virtualbox: VirtualBox
    ) -> None:
        monkeypatch.setenv(host.PREFIX_VARIABLE, "")
        monkeypatch.delenv(host.PYTHON_VARIABLE, raising=False)
        with pytest.raises(VirtualBoxError) as raised:
            await bridges.started("loop")
        assert raised.value.kind == "missing"
        assert host.PYTHON_VARIABLE in raised.value.problem.remedy

    async def test_where_virtualbox_is_not_installed_the_probe_says_how_to_install_it(
        self, bench: VirtualBoxBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(host.PREFIX_VARIABLE, "")
        probe = await bench.provider.probe()
        assert not probe.usable
        assert "not installed" in probe.why
        assert "virtualbox" in probe.remedy.lower()

    async def test_a_wrong_table_is_refused(self, bench: VirtualBoxBench) -> None:
        with pytest.raises(UsageError):
            bench.provider.check({"customize": [["--help"]]})


async def test_disks_of_machines_that_are_no_more_are_listed_and_pruned_and_no_others(
    bench: VirtualBoxBench, virtualbox: VirtualBox, short_folder: Path
) -> None:
    provider = bench.provider
    assert isinstance(provider, Pruning)
    machine = await Machine(bench, bench.plans.make()).create()
    machines = Path(machine.plan.folder).parent
    (machines / "lost").mkdir()
    lost, theirs = machines / "lost" / "disk.vdi", short_folder / "theirs.vdi"
    kept = Path(machine.plan.folder) / "beside.vdi"
    for path in (lost, theirs, kept):
        virtualbox.manage("createmedium", "disk", "--filename", str(path), "--size", "8")
    try:
        found = await provider.prune(machines, {machine.plan.id}, dry_run=True)
        assert [str(lost) in each.what for each in found] == [True]
        assert lost.exists()
        assert await provider.prune(machines, {machine.plan.id}, dry_run=False) == found
        assert not lost.exists()
        assert theirs.exists() and kept.exists(), "a machine that is there takes its own with it"
        assert await provider.prune(machines, {machine.plan.id}, dry_run=False) == ()
        assert await machine.state() is MachineState.STOPPED
    finally:
        virtualbox.manage("closemedium", "disk", str(theirs), "--delete")
        virtualbox.manage("closemedium", "disk", str(kept), "--delete")
        await machine.destroy()

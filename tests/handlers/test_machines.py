"""The life of a machine through the engine's handlers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.engine.handlers import title
from core.errors import BoxwrightError, NotFoundError, ProviderError
from core.guests.hostkeys import pinned
from core.model import command
from core.model.machine import MachineKey, MachineState
from core.model.operation import StepState
from core.model.problem import ExitCode
from tests.handlers.conftest import House


async def test_up_creates_starts_and_waits(house: House) -> None:
    assert house.machine().state is MachineState.ABSENT
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    machine = house.machine()
    assert machine.state is MachineState.RUNNING
    assert machine.provider_reason == "fake: asked for"
    assert machine.box_version == "1"
    assert machine.endpoint is not None
    assert machine.endpoint.port == house.sshd.port
    steps = house.steps(done)
    assert list(steps) == ["Box base", "Linked clone", "Start", "Wait for SSH"]
    assert steps["Box base"].state is StepState.CACHED
    assert "authenticated" in steps["Wait for SSH"].detail
    assert done.command_line == "boxwright up web"


async def test_a_second_up_has_nothing_to_do(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    again = await house.do(command.Up(machine=house.web))
    assert again.state is StepState.CACHED
    assert again.detail == "running already"


async def test_halt_and_up_again_with_what_the_project_says_now(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    assert (await house.do(command.Halt(machine=house.web))).state is StepState.DONE
    assert house.machine().state is MachineState.STOPPED
    assert house.machine().endpoint is None
    house.write('cpus = 3\nmemory = "1GiB"\n')
    await house.do(command.Up(machine=house.web))
    assert (house.machine().cpus, house.machine().memory) == (3, 1 << 30)


async def test_halting_a_stopped_machine_is_no_error(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    await house.do(command.Halt(machine=house.web))
    assert (await house.do(command.Halt(machine=house.web))).state is StepState.CACHED


async def test_suspend_and_resume(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    assert (await house.do(command.Suspend(machine=house.web))).state is StepState.DONE
    assert house.machine().state is MachineState.SUSPENDED
    assert (await house.do(command.Resume(machine=house.web))).state is StepState.DONE
    assert house.machine().state is MachineState.RUNNING


async def test_up_resumes_a_suspended_machine(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    await house.do(command.Suspend(machine=house.web))
    done = await house.do(command.Up(machine=house.web))
    assert "Restore memory" in house.steps(done)
    assert house.machine().state is MachineState.RUNNING


async def test_destroy_leaves_nothing(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    assert house.leftovers()
    done = await house.do(command.Destroy(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    assert house.machine().state is MachineState.ABSENT
    assert house.hypervisor.machines == {}
    assert house.leftovers() == []


async def test_snapshots(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    for name in ("one", "two"):
        assert (await house.do(command.SaveSnapshot(machine=house.web, name=name))).state is StepState.DONE
    assert [snapshot.name for snapshot in house.machine().snapshots] == ["one", "two"]
    await house.do(command.Halt(machine=house.web))
    restored = await house.do(command.RestoreSnapshot(machine=house.web, name="one"))
    assert restored.state is StepState.DONE, restored.problem
    assert house.machine().state is MachineState.RUNNING
    await house.do(command.DeleteSnapshot(machine=house.web, name="two"))
    assert [snapshot.name for snapshot in house.machine().snapshots] == ["one"]
    failed = await house.do(command.RestoreSnapshot(machine=house.web, name="two"))
    assert failed.problem is not None
    assert failed.problem.code is ExitCode.NOT_FOUND
    assert "one" in failed.problem.why


async def test_cancelling_the_first_start_undoes_all_of_it(house: House) -> None:
    gate = house.hypervisor.hold("start")
    operation = house.engine.submit(command.Up(machine=house.web))
    await gate.reached.wait()
    house.engine.cancel(operation)
    done = await house.end(operation)
    assert done.state is StepState.CANCELLED
    assert house.machine().state is MachineState.ABSENT
    assert house.hypervisor.machines == {}
    assert house.leftovers() == []


async def test_cancelling_a_later_start_leaves_the_machine_stopped(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    await house.do(command.Halt(machine=house.web))
    gate = house.hypervisor.hold("start")
    operation = house.engine.submit(command.Up(machine=house.web))
    await gate.reached.wait()
    house.engine.cancel(operation)
    assert (await house.end(operation)).state is StepState.CANCELLED
    assert house.machine().state is MachineState.STOPPED


async def test_a_start_that_fails_at_first_leaves_nothing(house: House) -> None:
    house.hypervisor.fail("start", ProviderError("No memory.", remedy="buy some"))
    done = await house.do(command.Up(machine=house.web))
    assert done.problem is not None
    assert done.problem.remedy == "buy some"
    assert house.machine().state is MachineState.ABSENT
    assert house.leftovers() == []


async def test_a_machine_that_dies_while_it_is_waited_for_is_told_and_kept(house: House) -> None:
    house.sshd.stop()
    operation = house.engine.submit(command.Up(machine=house.web))
    await house.until(lambda: "Wait for SSH" in {step.name for step in house.view(operation).steps})
    (machine_id,) = house.hypervisor.machines
    house.hypervisor.kill(machine_id)
    done = await house.end(operation)
    assert done.problem is not None
    assert "ended while its guest was waited for" in done.problem.what
    assert house.machine().state is MachineState.STOPPED


async def test_a_guest_that_never_answers_is_kept_running_to_be_looked_at(house: House) -> None:
    house.sshd.stop()
    house.write("boot_timeout = 0.5\n")
    done = await house.do(command.Up(machine=house.web))
    assert done.problem is not None
    assert "did not answer" in done.problem.what
    assert house.machine().state is MachineState.RUNNING
    again = await house.do(command.Up(machine=house.web))
    assert again.problem is not None
    assert again.problem.what == done.problem.what
    await house.sshd.started()
    assert (await house.do(command.Up(machine=house.web))).state is StepState.DONE
    assert (await house.do(command.Up(machine=house.web))).state is StepState.CACHED


async def test_a_changed_host_key_is_refused_until_the_old_one_is_forgotten(house: House) -> None:
    assert (await house.do(command.Up(machine=house.web))).state is StepState.DONE
    house.sshd.stop()
    house.sshd.new_host_key()
    await house.sshd.started()
    await house.do(command.Suspend(machine=house.web))
    refused = await house.do(command.Resume(machine=house.web))
    assert refused.problem is not None
    assert "has changed" in refused.problem.what
    machine = house.machine()
    assert machine.endpoint is not None
    assert refused.problem.remedy.endswith(f"'boxwright up': rm {machine.endpoint.known_hosts}")
    Path(machine.endpoint.known_hosts).unlink()
    assert (await house.do(command.Up(machine=house.web))).state is StepState.DONE
    assert pinned(machine.endpoint.known_hosts)


async def test_opposite_commands_queue_and_name_who_holds(house: House) -> None:
    gate = house.hypervisor.hold("start")
    up = house.engine.submit(command.Up(machine=house.web))
    await gate.reached.wait()
    halt = house.engine.submit(command.Halt(machine=house.web))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "up web" in house.view(halt).operation.detail
    gate.release()
    assert (await house.end(up)).state is StepState.DONE
    assert (await house.end(halt)).state is StepState.DONE
    assert house.machine().state is MachineState.STOPPED


async def test_commands_on_what_is_not_there_are_refused_at_once(house: House) -> None:
    with pytest.raises(NotFoundError, match="no machine 'db'"):
        house.engine.submit(command.Up(machine=MachineKey(str(house.root), "db")))
    with pytest.raises(BoxwrightError, match="not created"):
        house.engine.submit(command.Halt(machine=house.web))
    with pytest.raises(BoxwrightError, match="not suspended"):
        house.engine.submit(command.Resume(machine=house.web))


async def test_a_created_machine_can_be_destroyed_though_its_project_is_broken(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    (house.root / "boxwright.toml").write_text("[project\n")
    with pytest.raises(BoxwrightError):
        house.engine.submit(command.Up(machine=house.web))
    assert (await house.do(command.Destroy(machine=house.web))).state is StepState.DONE
    assert house.leftovers() == []


async def test_a_provider_is_not_changed_under_a_machine(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    done = await house.do(command.Up(machine=house.web, provider="other"))
    assert done.problem is not None
    assert done.problem.remedy == "boxwright destroy web"


async def test_a_provider_that_nobody_has(house: House) -> None:
    done = await house.do(command.Up(machine=house.web, provider="other"))
    assert done.problem is not None
    assert done.problem.code is ExitCode.PROVIDER


async def test_a_provider_that_is_not_installed_is_passed_over(house: House) -> None:
    text = (house.root / "boxwright.toml").read_text()
    (house.root / "boxwright.toml").write_text(text.replace('"fake"', '["libvirt-of-old", "fake"]'))
    done = await house.do(command.Up(machine=house.web))
    assert done.state is StepState.DONE, done.problem
    assert "libvirt-of-old is not installed" in house.machine().provider_reason


async def test_cancelling_after_the_start_says_what_stays(house: House) -> None:
    house.write("[[machines.web.provision]]\nshell = 'sleep 60'\nprivileged = false\n")
    operation = house.engine.submit(command.Up(machine=house.web))
    await house.until(lambda: any(step.name.startswith("Provision") for step in house.view(operation).steps))
    house.engine.cancel(operation)
    done = await house.end(operation)
    assert done.state is StepState.CANCELLED
    assert done.problem is not None
    assert done.problem.why == "web is running."


async def test_a_suspended_machine_is_not_snapshotted(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    await house.do(command.Suspend(machine=house.web))
    with pytest.raises(BoxwrightError, match="suspended") as refused:
        house.engine.submit(command.SaveSnapshot(machine=house.web, name="one"))
    assert refused.value.problem.remedy == "boxwright resume web"


def test_titles_name_what_they_are_about() -> None:
    web = MachineKey("/shop", "web")
    assert title(command.AddBox(source="debian/bookworm64")) == "box add debian/bookworm64"
    assert title(command.AddBox(source="/tmp/a/b.box")) == "box add b.box"
    assert title(command.SaveSnapshot(machine=web, name="a b")) == "snapshot save web 'a b'"

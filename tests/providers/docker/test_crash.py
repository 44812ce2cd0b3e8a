"""The engine killed at any instant: the next one puts it in order, and nothing of ours stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.model.machine import MachineState
from tests.providers.bench import Machine
from tests.providers.crashing import Kill, killed_everywhere
from tests.providers.docker.bench import DockerBench
from tests.providers.libvirt.test_crash import can_be_destroyed, no_snapshot, stopped, unchanged
from tests.providers.qemu.test_crash import (
    machine_with_snapshot,
    no_machine,
    running_machine,
    stopped_machine,
)
from tests.support.dockerd import Dockerd

pytestmark = pytest.mark.real


async def restorable(machine: Machine) -> None:
    await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
    if await machine.state() is MachineState.STOPPED:
        await machine.start()
    assert await machine.bench.count(machine.plan) == 1


@pytest.mark.parametrize(
    "kill",
    [
        Kill("create", no_machine, unchanged, 10, 23),
        Kill("start", stopped_machine, stopped, 10, 23),
        Kill("destroy", running_machine, can_be_destroyed, 10, 31),
        Kill("save", running_machine, no_snapshot, 5, 13),
        Kill("restore", machine_with_snapshot, restorable, 10, 31),
    ],
    ids=lambda kill: kill.action,
)
async def test_killed_in_the_middle(
    bench: DockerBench, daemon: Dockerd, short_folder: Path, kill: Kill
) -> None:
    await killed_everywhere("docker", bench, daemon, short_folder, kill)

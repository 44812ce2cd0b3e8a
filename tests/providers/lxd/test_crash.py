"""The engine killed at any instant: the next one puts it in order, and nothing of ours stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.providers.crashing import Kill, killed_everywhere
from tests.providers.libvirt.test_crash import (
    can_be_destroyed,
    can_be_stopped,
    no_snapshot,
    stopped,
    unchanged,
)
from tests.providers.lxd.bench import LxdBench
from tests.providers.qemu.test_crash import no_machine, running_machine, stopped_machine
from tests.support.lxd import Lxd

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    "kill",
    [
        Kill("create", no_machine, unchanged, 40, 43),
        Kill("start", stopped_machine, stopped, 30, 31),
        pytest.param(Kill("stop", running_machine, can_be_stopped, 20, 31), marks=pytest.mark.slow),
        Kill("destroy", running_machine, can_be_destroyed, 40, 43),
        pytest.param(Kill("save", running_machine, no_snapshot, 20, 31), marks=pytest.mark.slow),
    ],
    ids=lambda kill: kill.action,
)
async def test_killed_in_the_middle(bench: LxdBench, daemon: Lxd, short_folder: Path, kill: Kill) -> None:
    await killed_everywhere("lxd", bench, daemon, short_folder, kill)

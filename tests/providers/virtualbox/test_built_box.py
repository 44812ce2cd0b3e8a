"""The box that a build makes for VirtualBox, as the real one takes it, up to the missing kernel module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.builds import appliance
from core.errors import ProviderError
from tests.providers.bench import Machine
from tests.providers.virtualbox.bench import VirtualBoxBench
from tests.support.tiny import tiny_image
from tests.support.virtualbox import VirtualBox
from tests.support.work import RecordingWork

__all__ = ["tiny_image"]

pytestmark = pytest.mark.real


@pytest.fixture
async def built(
    virtualbox: VirtualBox,
    tiny_image: Path,
    short_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[VirtualBoxBench]:
    for name, value in virtualbox.environment.items():
        monkeypatch.setenv(name, value)
    before = virtualbox.listing()
    await appliance.write(tiny_image, short_folder / "box", "tiny", RecordingWork())
    bench = VirtualBoxBench(short_folder, virtualbox, short_folder / "box")
    yield bench
    await bench.close()
    assert virtualbox.listing() == before


async def test_its_machine_has_the_disk_the_card_and_the_ports_and_start_says_what_is_missing(
    built: VirtualBoxBench,
) -> None:
    machine = Machine(built, built.plans.make())
    try:
        await machine.create()
        names = [line.split(" ", 1)[1] for line in built.virtualbox.listing()["machines"]]
        (name,) = [name for name in names if machine.plan.id in name]
        said = built.virtualbox.manage("showvminfo", name, "--machinereadable")
        assert 'storagecontrollertype0="PIIX4"' in said
        assert 'nic1="nat"' in said and 'nictype1="virtio"' in said
        assert 'ostype="Linux' in said
        with pytest.raises(ProviderError, match="kernel module") as raised:
            await machine.start()
        assert "vboxdrv" in str(raised.value.problem)
    finally:
        await machine.destroy()
        assert await built.traces(machine.plan) == []

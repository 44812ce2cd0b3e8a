"""A build's disk as a machine of VirtualBox's. What VirtualBox makes of it: tests/providers/virtualbox."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from core.builds import appliance
from core.model.machine import MachineKey, MachinePlan
from core.providers.virtualbox import appliance as reading
from tests.builds.guest import ssh
from tests.support.tiny import booted
from tests.support.work import RecordingWork


@pytest.mark.real
@pytest.mark.slow
async def test_the_system_boots_from_its_disk_at_an_ide_controller(tiny_image: Path, tmp_path: Path) -> None:
    files = await appliance.write(tiny_image, tmp_path / "box", "tiny", RecordingWork())
    assert files[appliance.DISK].stat().st_size < 40_000_000
    plan = MachinePlan(
        id="1",
        key=MachineKey("p", "m"),
        folder="",
        runtime="",
        disks=(),
        memory=0,
        box_files={name: str(path) for name, path in files.items()},
    )
    reading.check(plan, reading.find(plan))
    async with booted(files[appliance.DISK], tmp_path, form="vmdk", bus="ide") as guest:
        said = await ssh(guest, tmp_path, "mount | grep ' / '")
        assert said.out.startswith("/dev/sda1 "), said


def test_a_name_cannot_break_the_description() -> None:
    name = 'a<b>&"c"\u00e9'
    tree = ElementTree.fromstring(appliance.describe(name, 1 << 30, 17))
    (system,) = [element for element in tree if element.tag.endswith("VirtualSystem")]
    assert name in system.attrib.values()

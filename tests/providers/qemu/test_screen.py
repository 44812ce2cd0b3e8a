"""A machine has a graphics card: what draws before it starts does not wait for one in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from core.builds.qemu.screen import picture_of
from core.providers.qemu.layout import Layout
from tests.providers.bench import Machine
from tests.providers.qemu.test_contract import QemuBench
from tests.support import bootsector
from tests.support.waiting import until

pytestmark = pytest.mark.real

_CODE = bytes.fromhex(
    "31c08ec0bf0080b8004fcd10b16e83f84f750fb8024fbb0101cd1083f84f7502b17988c8baf803eef4ebfd"
)
"""Asks the BIOS for graphics as GRUB does (INT 10h, 4F00h, 4F02h); says ``y`` or ``n`` on the serial port."""


@pytest.fixture
async def machine(short_folder: Path) -> AsyncIterator[Machine]:
    bench = QemuBench(short_folder)
    image = Path(bench.plans.make().disks[0].path)
    image.write_bytes(_CODE.ljust(510, b"\0") + b"\x55\xaa" + bytes(bootsector.SIZE - 512))
    made = await Machine(bench, bench.plans.make(options={"display": "none"})).create()
    yield made
    await made.destroy()
    await bench.provider.close()


async def draws(machine: Machine) -> bool:
    """Whether the guest could."""
    log = Path(machine.provider.serial_log(machine.plan) or "")
    await until(lambda: log.read_bytes().endswith((b"y", b"n")), pause=0.02)
    return log.read_bytes().endswith(b"y")


async def test_a_guest_can_draw_and_one_that_was_saved_without_a_card_goes_on_without(
    machine: Machine,
) -> None:
    provider = machine.provider
    await machine.start()
    assert not await draws(machine)
    await provider.save_snapshot(machine.plan, "before", machine.work())
    await provider.suspend(machine.plan, machine.work())
    machine.plan = msgspec.structs.replace(machine.plan, options={})
    await provider.resume(machine.plan, machine.work())
    await provider.stop(machine.plan, machine.work(), force=True)
    await machine.start()
    assert await draws(machine), "a machine has a card unless somebody says otherwise"
    seen = (await provider.states([machine.plan]))[machine.plan.id].started
    assert seen is not None and seen.screen
    picture = await picture_of(Path(seen.screen))
    assert picture.width >= 320
    await provider.restore_snapshot(machine.plan, "before", machine.work())
    arguments = Path(f"/proc/{Layout.of(machine.plan).pid_file.read_text().strip()}/cmdline").read_bytes()
    assert b"VGA" not in arguments.split(b"\0"), "memory fits only the hardware that it was saved of"

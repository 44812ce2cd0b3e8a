"""What ``doctor`` learns of QEMU: missing, too old, damaged, hanging, usable."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ProviderError
from core.model.machine import Disk, MachineState
from core.providers.qemu import QemuProvider, probing
from tests.providers.bench import Plans
from tests.support.work import RecordingWork


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


EMULATORS = ("qemu-system-x86_64", "qemu-system-aarch64")


def emulators(folder: Path, script: str) -> None:
    for name in EMULATORS:
        program(folder, name, script)
    program(folder, "qemu-img", "exit 0")


async def test_a_missing_qemu_is_named_with_the_command_that_installs_it(programs: Path) -> None:
    probe = await QemuProvider().probe()
    assert not probe.usable
    assert "not installed" in probe.why
    assert "install" in probe.remedy


async def test_a_missing_qemu_img_is_named_too(programs: Path) -> None:
    emulators(programs, "echo QEMU emulator version 7.2.0")
    (programs / "qemu-img").unlink()
    probe = await QemuProvider().probe()
    assert not probe.usable
    assert "qemu-img" in probe.why


async def test_a_qemu_that_is_too_old_says_which_would_do(programs: Path) -> None:
    emulators(programs, "echo 'QEMU emulator version 4.2.1 (Debian 1:4.2-3)'")
    probe = await QemuProvider().probe()
    assert (probe.usable, probe.version) == (False, "4.2.1")
    assert "6.0" in probe.why


@pytest.mark.parametrize("script", ["echo error: libfoo.so.1: not found >&2; exit 127", "echo hello", ":"])
async def test_a_damaged_qemu_is_not_usable(programs: Path, script: str) -> None:
    emulators(programs, script)
    probe = await QemuProvider().probe()
    assert not probe.usable
    assert "does not work" in probe.why
    assert probe.remedy


async def test_a_hanging_qemu_is_given_up(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PATIENCE", 0.2)
    emulators(programs, "exec /bin/sleep 100")
    probe = await QemuProvider().probe()
    assert not probe.usable
    assert "does not answer" in probe.why


async def test_a_mended_qemu_is_found_without_a_restart(programs: Path) -> None:
    provider = QemuProvider()
    emulators(programs, "echo QEMU emulator version 5.0.0")
    assert not (await provider.probe()).usable
    emulators(programs, "echo QEMU emulator version 8.1.0")
    probe = await provider.probe()
    assert (probe.usable, probe.version) == (True, "8.1.0")
    assert "acceleration" in probe.why


async def test_without_qemu_nothing_is_made_and_nothing_hidden(programs: Path, tmp_path: Path) -> None:
    provider = QemuProvider()
    plan = Plans(tmp_path).make()
    work = RecordingWork(provider.undo)
    with pytest.raises(ProviderError, match="not installed"):
        await provider.create(plan, work)
    await work.undo()
    assert (await provider.states([plan]))[plan.id].state is MachineState.ABSENT
    assert list(Path(plan.folder).iterdir()) == []


async def test_uefi_without_firmware_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.providers import firmware

    monkeypatch.setattr(firmware, "SHARES", (tmp_path,))
    provider = QemuProvider()
    plans = Plans(tmp_path)
    plan = plans.make(firmware="uefi", disks=(Disk(path=str(plans.image), format="raw"),))
    work = RecordingWork(provider.undo)
    with pytest.raises(ProviderError) as raised:
        await provider.create(plan, work)
    assert "UEFI" in raised.value.problem.what
    assert raised.value.problem.remedy
    await work.undo()
    assert list(Path(plan.folder).iterdir()) == []

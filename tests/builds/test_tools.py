"""Programs that are missing are named, all at once, with the command that installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.builds import tools
from core.errors import BoxwrightError


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path with one empty folder in it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_SYSTEM_FOLDERS", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_all_that_is_missing_is_named_with_one_command(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "GRUB_MODULES", bare)
    program(bare, "qemu-img")

    with pytest.raises(BoxwrightError) as caught:
        tools.check_bootstrap()

    problem = caught.value.problem
    assert problem.what.endswith("are not installed.")
    for name in ("mmdebstrap", "grub-mkimage", "mke2fs", "GRUB's modules"):
        assert name in problem.what
    assert "qemu-img" not in problem.what
    assert "apt-get install mmdebstrap grub-common e2fsprogs util-linux grub-pc-bin" in problem.remedy


def test_a_single_one_is_named_alone(bare: Path) -> None:
    with pytest.raises(BoxwrightError) as caught:
        tools.need(tools.MMDEBSTRAP)
    assert caught.value.problem.what == "mmdebstrap is not installed."
    assert caught.value.problem.remedy.endswith("apt-get install mmdebstrap")


def test_system_folders_are_searched_even_where_the_user_has_them_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(tools, "_SYSTEM_FOLDERS", str(tmp_path))
    program(tmp_path, "mke2fs")
    assert tools.find(tools.MKE2FS) == str(tmp_path / "mke2fs")


def test_nothing_is_said_where_all_is_there() -> None:
    tools.check_bootstrap()

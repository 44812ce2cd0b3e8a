"""The guest's memory as a file: what is saved is loaded again, holes stay holes, nothing stays behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.builds.qemu import ram as module
from core.builds.qemu.ram import Ram

SIZE = 32 << 20


@pytest.fixture(params=["in memory", "in a file"])
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways to have it: the second one is that of systems other than Linux."""
    if request.param == "in a file":
        monkeypatch.setattr(module.sys, "platform", "darwin")
    return bool(request.param == "in a file")


def test_what_was_saved_is_loaded_again_with_its_holes(tmp_path: Path, plain: bool) -> None:
    saved, again = tmp_path / "saved", tmp_path / "again"
    first = Ram(SIZE, tmp_path / "first")
    if plain:
        first.path.touch()
        os.truncate(first.path, SIZE)
    with first.path.open("r+b") as memory:
        memory.write(b"begin")
        memory.seek(20 << 20)
        memory.write(b"far away")
    first.save(saved)
    assert saved.stat().st_size == SIZE
    assert saved.stat().st_blocks * 512 < 1 << 20
    second = Ram(SIZE, tmp_path / "second")
    second.load(saved)
    second.save(again)
    assert again.read_bytes() == saved.read_bytes()
    assert again.read_bytes()[20 << 20 :][:8] == b"far away"
    for ram in (first, second):
        ram.close()
        ram.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "saved"]
    assert second.inherited == ()

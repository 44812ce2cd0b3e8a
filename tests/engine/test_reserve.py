"""A full disk: the journal can be written all the same, as what frees space is written down there too."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.engine import reserve
from core.engine.journal import Journal


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that can be made larger and smaller."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disk: Path) -> Path:
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return path
    raise AssertionError("it never got full")


@pytest.mark.real
def test_a_journal_on_a_full_disk_is_written_and_opened_again(disk: Path) -> None:
    journal = Journal(disk / "journal.sqlite")
    held = disk / "journal.reserve"
    assert held.stat().st_blocks * 512 >= reserve.SIZE
    filler = fill(disk)
    numbers = [journal.intend("1", "path", {"path": f"/{number}"}) for number in range(500)]
    assert not held.exists()
    journal.close()
    journal = Journal(disk / "journal.sqlite")
    journal.settle(tuple(numbers))
    assert journal.intents() == ()
    filler.unlink()
    journal.set("any", 1)
    assert held.exists(), "with room again it is set aside again"
    journal.close()


@pytest.mark.real
def test_an_engine_that_starts_on_a_full_disk_finds_the_space_that_was_set_aside(disk: Path) -> None:
    Journal(disk / "journal.sqlite").close()
    fill(disk)
    journal = Journal(disk / "journal.sqlite")
    journal.intend("1", "path", {"path": "/x"})
    journal.close()


def test_a_folder_that_cannot_be_looked_at_is_no_error(tmp_path: Path) -> None:
    reserve.Reserve(tmp_path / "gone" / "x").tend()

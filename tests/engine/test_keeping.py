"""How long what was destroyed can be brought back, and how much of it is kept."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.engine.keeping import KEEP, LEAST_FREE, MOST, Keeping, size
from core.engine.records import KeptRecord, MachineRecord
from core.model.machine import Disk, MachineKey, MachinePlan

PLENTY = 100 * MOST


@pytest.fixture
def box(tmp_path: Path) -> Path:
    disk = tmp_path / "box.qcow2"
    disk.touch()
    return disk


class Shelf:
    """Destroyed machines, each with a folder of its own and one box for all."""

    def __init__(self, folder: Path, box: Path) -> None:
        self._folder = folder
        self._box = box

    def kept(self, name: str, *, destroyed: float = 0.0, size: int = 1, machine: str = "") -> KeptRecord:
        folder = self._folder / name
        folder.mkdir()
        plan = MachinePlan(
            id=name,
            key=MachineKey("/p", machine or name),
            folder=str(folder),
            runtime="/r",
            disks=(Disk(path=str(self._box)),),
        )
        record = MachineRecord(plan=plan, provider="fake")
        return KeptRecord(record=record, destroyed=destroyed, until=destroyed + KEEP, size=size)


@pytest.fixture
def shelf(tmp_path: Path, box: Path) -> Shelf:
    return Shelf(tmp_path, box)


def ids(found: tuple[KeptRecord, ...]) -> list[str]:
    return [kept.id for kept in found]


def test_after_a_day_it_goes(shelf: Shelf) -> None:
    keeping = Keeping([shelf.kept("old"), shelf.kept("new", destroyed=10.0)])
    assert (keeping.due(KEEP - 1), ids(keeping.overdue(KEEP - 1, PLENTY))) == (False, [])
    assert (keeping.due(KEEP), ids(keeping.overdue(KEEP, PLENTY))) == (True, ["old"])


def test_the_oldest_goes_where_it_is_too_much(shelf: Shelf) -> None:
    third = MOST // 3 + 1
    keeping = Keeping(shelf.kept(name, destroyed=at, size=third) for at, name in enumerate("abc"))
    assert ids(keeping.overdue(10.0, PLENTY)) == ["a"]


def test_as_much_goes_as_the_disk_needs(shelf: Shelf) -> None:
    keeping = Keeping(shelf.kept(name, destroyed=at, size=100) for at, name in enumerate("abc"))
    assert ids(keeping.overdue(10.0, LEAST_FREE)) == []
    assert ids(keeping.overdue(10.0, LEAST_FREE - 1)) == ["a"]
    assert ids(keeping.overdue(10.0, LEAST_FREE - 101)) == ["a", "b"]
    assert ids(keeping.overdue(10.0, 0)) == ["a", "b", "c"]


def test_what_cannot_start_any_more_goes(shelf: Shelf, box: Path) -> None:
    gone, there = shelf.kept("gone"), shelf.kept("there")
    Path(gone.record.plan.folder).rmdir()
    keeping = Keeping([gone, there])
    assert ids(keeping.overdue(0.0, PLENTY)) == ["gone"]
    box.unlink()
    assert sorted(ids(keeping.overdue(0.0, PLENTY))) == ["gone", "there"]


def test_what_is_being_removed_is_not_offered_and_removed_to_its_end(shelf: Shelf) -> None:
    half = msgspec.structs.replace(shelf.kept("half"), until=0.0)
    keeping = Keeping([half])
    assert (keeping.all(), keeping.last(half.key), bool(keeping)) == ((), None, True)
    assert ids(keeping.overdue(0.0, PLENTY)) == ["half"]
    assert not keeping.due(KEEP), "what could not be removed is not tried every moment"


def test_of_one_name_the_last_is_meant(shelf: Shelf) -> None:
    first = shelf.kept("a", destroyed=1.0, machine="web")
    second = shelf.kept("b", destroyed=2.0, machine="web")
    keeping = Keeping([second, first])
    assert keeping.last(first.key) == second
    keeping.drop("b")
    assert keeping.last(first.key) == first
    assert keeping.last(msgspec.structs.replace(first.key, name="db")) is None


def test_all_of_a_project_the_last_first(shelf: Shelf) -> None:
    keeping = Keeping([shelf.kept("a", destroyed=1.0), shelf.kept("b", destroyed=2.0)])
    assert (ids(keeping.all("/p")), keeping.all("/q")) == (["b", "a"], ())


def test_a_size_is_what_the_disk_gives(tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(b"x" * 1_000_000)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert 1_000_000 <= size(tmp_path) < 1_100_000

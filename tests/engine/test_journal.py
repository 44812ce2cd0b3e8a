"""The journal: what survives, in which order, and what happens with a damaged file."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from core.engine.journal import Journal
from core.engine.records import KeptRecord, MachineRecord
from core.engine.schema import MIGRATIONS, VERSION, migrate
from core.errors import BoxwrightError
from core.model.box import BoxKey
from core.model.machine import MachineKey, MachinePlan, MachineState
from core.model.operation import Operation, Step, StepState
from core.providers.base import Started


def operation(journal: Journal, **fields: object) -> Operation:
    made = Operation(
        id=journal.next_operation(),
        command="machine.up",
        title="up web",
        submitted=1.0,
        **fields,  # type: ignore[arg-type]
    )
    journal.save_operation(made)
    return made


def record(name: str = "web", **fields: object) -> MachineRecord:
    plan = MachinePlan(
        id=f"{name}000000000000"[:12],
        key=MachineKey("/p", name),
        folder=f"/m/{name}",
        runtime=f"/r/{name}",
        disks=(),
    )
    return MachineRecord(plan=plan, provider="fake", **fields)  # type: ignore[arg-type]


@pytest.fixture
def path(boxwright_home: Path) -> Path:
    return boxwright_home / "journal.sqlite"


def test_ids_sort_by_submission_whatever_the_clock_says(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    first = operation(journal).id
    monkeypatch.setattr(time, "time", lambda: -1000.0)
    second = operation(journal).id
    journal.close()
    third = operation(Journal(path)).id
    assert first < second < third


def test_ids_go_on_after_pruning_and_after_the_loss_of_the_journal(path: Path) -> None:
    journal = Journal(path)
    ended = operation(journal, ended=1.0, state=StepState.DONE)
    assert journal.forget_operations(0) == (ended.id,)
    journal.close()
    again = Journal(path)
    assert again.next_operation() == "000002"
    again.close()
    path.unlink()
    (path.parent / "operations").mkdir()
    (path.parent / "operations" / "000041.log").touch()
    assert Journal(path).next_operation() == "000042", "logs of earlier operations are not written to again"


def test_what_was_written_is_read_by_the_next_engine(path: Path) -> None:
    journal = Journal(path)
    running = operation(journal, state=StepState.RUNNING, project="/p")
    step = Step(operation=running.id, id=1, name="start", state=StepState.DONE)
    journal.save_step(step)
    machine = record(
        state=MachineState.RUNNING,
        started=Started(ssh_port=2200, facts={"a": "b"}),
        box=BoxKey("debian", "12", "qemu"),
        provisioned=("1: shell",),
    )
    journal.save_machine(machine)
    number = journal.intend(running.id, "path", {"path": "/x"})
    journal.set("theme", {"name": "dark"})
    journal.open_project("/p")
    journal.close()

    again = Journal(path)
    assert again.open_operations() == (running,)
    assert again.operations(project="/p") == (running,)
    assert again.operations(project="/q") == ()
    assert again.steps(running.id) == (step,)
    assert again.machines() == ((machine,), ())
    assert [(i.number, i.kind, i.facts) for i in again.intents()] == [(number, "path", {"path": "/x"})]
    assert again.setting("theme") == {"name": "dark"}
    assert again.setting("nothing") is None
    assert again.projects() == ("/p",)


def test_intents_are_newest_first_and_go_when_they_are_settled(path: Path) -> None:
    journal = Journal(path)
    numbers = [journal.intend("000001", "path", {"path": str(n)}) for n in range(3)]
    journal.settle((numbers[1],))
    assert [intent.facts["path"] for intent in journal.intents("000001")] == ["2", "0"]
    assert journal.intents("000002") == ()


def test_an_intent_is_there_for_others_when_intend_returns(path: Path) -> None:
    journal = Journal(path)
    journal.intend("000001", "path", {"path": "/x"})
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT count(*) FROM intents").fetchone() == (1,)


def test_each_write_passes_a_point_before_and_after(path: Path) -> None:
    points: list[str] = []
    journal = Journal(path, on_point=points.append)
    number = journal.intend("000001", "qemu.process", {})
    journal.settle((number,), "qemu.process")
    assert points == [
        "intend.qemu.process/before",
        "intend.qemu.process/after",
        "settle.qemu.process/before",
        "settle.qemu.process/after",
    ]


def test_what_happens_before_the_commit_leaves_nothing(path: Path) -> None:
    def point(name: str) -> None:
        if name == "intend.path/before":
            raise RuntimeError

    journal = Journal(path, on_point=point)
    with pytest.raises(RuntimeError):
        journal.intend("000001", "path", {})
    assert journal.intents() == ()
    journal.set("next", "works")


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100])
def test_a_damaged_file_is_moved_aside(path: Path, damage: bytes) -> None:
    journal = Journal(path)
    operation(journal)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(damage or whole[: len(whole) // 2])
    again = Journal(path)
    assert again.moved_aside
    assert Path(again.moved_aside).read_bytes() == path.with_name(Path(again.moved_aside).name).read_bytes()
    assert again.operations() == ()
    operation(again)
    again.close()
    assert Journal(path).moved_aside == "", "the new one is in order"


def test_damage_in_the_middle_is_found(path: Path) -> None:
    journal = Journal(path)
    for _ in range(300):
        operation(journal, detail="x" * 200)
    journal.close()
    data = bytearray(path.read_bytes())
    data[20_000:24_000] = b"\xff" * 4000
    path.write_bytes(data)
    assert Journal(path).moved_aside


def test_a_journal_of_a_newer_version_is_left_alone(path: Path) -> None:
    Journal(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(BoxwrightError, match="newer Boxwright"):
        Journal(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.damaged*"))


def test_a_journal_that_cannot_be_opened_is_no_damage(path: Path) -> None:
    path.mkdir()
    with pytest.raises(BoxwrightError, match="cannot be opened"):
        Journal(path)
    assert path.is_dir()


def test_migrations_run_once_each_and_in_order(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    assert migrate(connection) == 0
    more = (*MIGRATIONS, "ALTER TABLE projects ADD COLUMN title TEXT NOT NULL DEFAULT ''")
    connection.execute("INSERT INTO projects VALUES ('/p', 1.0)")
    assert migrate(connection, more) == VERSION
    assert migrate(connection, more) == VERSION + 1
    assert connection.execute("SELECT root, title FROM projects").fetchall() == [("/p", "")]


def test_a_migration_that_fails_leaves_the_journal_as_it_was(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    bad = (*MIGRATIONS, "CREATE TABLE extra (x); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, bad)
    connection.close()
    again = sqlite3.connect(path)
    assert again.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert not again.execute("SELECT name FROM sqlite_master WHERE name = 'extra'").fetchall()


def kept(name: str) -> KeptRecord:
    return KeptRecord(record=record(name), destroyed=10.0, until=20.0, size=5)


def test_what_is_destroyed_and_kept_is_no_machine_until_it_is_brought_back(path: Path) -> None:
    journal = Journal(path)
    journal.save_machine(record("web"))
    journal.keep_destroyed(kept("web"))
    assert (journal.machines(), journal.destroyed()) == (((), ()), (kept("web"),))
    journal.save_machine(record("db"))
    journal.bring_back(record("web"))
    assert [item.key.name for item in journal.machines()[0]] == ["db", "web"]
    assert journal.destroyed() == ()
    journal.keep_destroyed(kept("db"))
    journal.drop_destroyed(kept("db").id)
    assert ([item.key.name for item in journal.machines()[0]], journal.destroyed()) == (["web"], ())


def test_what_another_version_destroyed_is_read_as_far_as_it_can_be(path: Path) -> None:
    journal = Journal(path)
    journal.keep_destroyed(kept("web"))
    journal.keep_destroyed(kept("db"))
    journal._connection.execute("UPDATE destroyed SET body = '{}' WHERE id = ?", (kept("db").id,))
    journal._connection.execute(
        "UPDATE destroyed SET body = json_set(body, '$.record.state', 'unheard of') WHERE id = ?",
        (kept("web").id,),
    )
    assert [item.key.name for item in journal.destroyed()] == ["web"]


def test_a_record_that_this_version_cannot_read_is_kept(path: Path) -> None:
    journal = Journal(path)
    journal.save_machine(record("web"))
    journal.save_machine(record("db"))
    journal._connection.execute("UPDATE machines SET body = '{}' WHERE name = 'db'")
    records, strange = journal.machines()
    assert [item.key.name for item in records] == ["web"]
    assert strange == ("db0000000000",)


def test_a_record_of_another_version_keeps_what_can_be_read(path: Path) -> None:
    journal = Journal(path)
    journal.save_machine(record("web", user="me"))
    journal._connection.execute(
        "UPDATE machines SET body = json_set(CAST(body AS TEXT), '$.snapshots', 7, '$.later', 'x')"
    )
    assert journal.machines() == ((record("web", user="me"),), ())


def test_a_full_disk_is_said_with_a_remedy(path: Path) -> None:
    journal = Journal(path)
    journal._connection.execute("PRAGMA max_page_count = 40")
    with pytest.raises(BoxwrightError) as caught:
        for _ in range(100):
            operation(journal, detail="x" * 5000)
    assert "journal cannot be written" in caught.value.problem.what
    assert caught.value.problem.remedy.startswith("df -h")
    assert journal.operations(), "and it can be read on"

"""Old operations and their logs go; what runs and what is new stays."""

from __future__ import annotations

from pathlib import Path

from core.engine.journal import Journal
from core.engine.log import OperationLog, index_of
from core.engine.retention import prune
from core.model.operation import Operation, StepState


def make(journal: Journal, folder: Path, size: int, *, running: bool = False) -> str:
    name = journal.next_operation()
    journal.save_operation(
        Operation(
            id=name,
            command="machine.up",
            title="up",
            submitted=1.0,
            state=StepState.RUNNING if running else StepState.DONE,
            ended=0.0 if running else 2.0,
        )
    )
    log = OperationLog(folder, name)
    log.write(1, b"x" * size)
    log.close()
    return name


def left(journal: Journal, folder: Path) -> tuple[list[str], list[str]]:
    rows = sorted(operation.id for operation in journal.operations())
    return rows, sorted(path.stem for path in folder.glob("*.log"))


def test_the_newest_are_kept(boxwright_home: Path) -> None:
    journal = Journal(boxwright_home / "journal.sqlite")
    running = make(journal, boxwright_home, 10, running=True)
    names = [make(journal, boxwright_home, 10) for _ in range(6)]
    assert sorted(prune(journal, boxwright_home, keep=2)) == names[:4]
    kept = [running, *names[4:]]
    assert left(journal, boxwright_home) == (kept, kept)
    assert not index_of(boxwright_home / f"{names[0]}.log").exists()


def test_large_logs_go_oldest_first(boxwright_home: Path) -> None:
    journal = Journal(boxwright_home / "journal.sqlite")
    running = make(journal, boxwright_home, 100_000, running=True)
    names = [make(journal, boxwright_home, 10_000) for _ in range(5)]
    assert sorted(prune(journal, boxwright_home, most=25_000)) == names[:3]
    kept = [running, *names[3:]]
    assert left(journal, boxwright_home) == (kept, kept)


def test_nothing_to_do_is_fine(boxwright_home: Path) -> None:
    journal = Journal(boxwright_home / "journal.sqlite")
    assert prune(journal, boxwright_home / "nowhere") == ()

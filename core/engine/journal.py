"""The journal: what must survive the engine, in SQLite.

Every write is one transaction. ``on_point`` is called with a name before and after each commit, so
that a test can end the process at every such point and look at what the next engine makes of it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from core.engine.journal_file import opened
from core.engine.records import KeptRecord, MachineRecord, read_kept, read_record
from core.engine.reserve import Reserve
from core.errors import BoxwrightError
from core.model.operation import Operation, Step

Point = Callable[[str], None]


class StoredIntent(msgspec.Struct, frozen=True):
    """An intent that is not settled."""

    number: int
    operation: str
    kind: str
    facts: dict[str, Any]
    trouble: str = ""
    """Why undoing it failed the last time."""


_json = msgspec.json.Encoder()
_operation = msgspec.json.Decoder(Operation)
_step = msgspec.json.Decoder(Step)


class Journal:
    """Raises BoxwrightError where the file cannot be opened or written.

    ``moved_aside`` names the damaged file that was replaced by a new one at opening, "" otherwise.
    May be used from several threads.
    """

    def __init__(self, path: Path, *, on_point: Point | None = None) -> None:
        self.path = path
        self._point = on_point or _nothing
        self._lock = threading.RLock()
        self._reserve = Reserve(path.with_name(f"{path.stem}.reserve"))
        self._reserve.tend()
        self._connection, self.moved_aside = opened(path)
        self._last_number = 0

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # Operations and steps.

    def next_operation(self) -> str:
        """An id that sorts after all earlier ones, whatever the clock says."""
        with self._lock:
            if not self._last_number:
                row = self._connection.execute(
                    "SELECT seq FROM sqlite_sequence WHERE name = 'operations'"
                ).fetchone()
                self._last_number = max(row[0] if row else 0, self._number_of_logs())
            self._last_number += 1
            return f"{self._last_number:06d}"

    def save_operation(self, operation: Operation) -> None:
        with self._write(f"operation.{operation.state.value}") as connection:
            connection.execute(
                "INSERT INTO operations (number, id, project, ended, body) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, body = excluded.body",
                (
                    int(operation.id),
                    operation.id,
                    operation.project,
                    operation.ended,
                    _json.encode(operation),
                ),
            )

    def save_step(self, step: Step) -> None:
        """One that begins passes no point of its own: nothing is undone because of it."""
        with self._write("step" if step.state.ended else "") as connection:
            _put_step(connection, step)

    def end_operation(self, operation: Operation, steps: tuple[Step, ...]) -> None:
        """The operation as it ended and all its steps, in one go."""
        with self._write(f"operation.{operation.state.value}", durable=True) as connection:
            for step in steps:
                _put_step(connection, step)
            connection.execute(
                "UPDATE operations SET ended = ?, body = ? WHERE id = ?",
                (operation.ended, _json.encode(operation), operation.id),
            )

    def operation(self, operation_id: str) -> Operation | None:
        rows = self._read("SELECT body FROM operations WHERE id = ?", operation_id)
        return _operation.decode(rows[0][0]) if rows else None

    def operations(self, *, project: str = "", limit: int = 100) -> tuple[Operation, ...]:
        """Newest first."""
        condition = "WHERE project = ?" if project else "WHERE ? = ''"
        rows = self._read(
            f"SELECT body FROM operations {condition} ORDER BY number DESC LIMIT ?", project, limit
        )
        return tuple(_operation.decode(row[0]) for row in rows)

    def open_operations(self) -> tuple[Operation, ...]:
        """Those that had not ended when they were last written, oldest first."""
        rows = self._read("SELECT body FROM operations WHERE ended = 0 ORDER BY number")
        return tuple(_operation.decode(row[0]) for row in rows)

    def steps(self, operation_id: str) -> tuple[Step, ...]:
        rows = self._read("SELECT body FROM steps WHERE operation = ? ORDER BY id", operation_id)
        return tuple(_step.decode(row[0]) for row in rows)

    def forget_operations(self, keep: int, drop: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Remove all but the newest ``keep`` ended operations, and those named in ``drop``.
        Returns the ids of what was removed."""
        old = self._read(
            "SELECT id FROM operations WHERE ended > 0 ORDER BY number DESC LIMIT -1 OFFSET ?", keep
        )
        ids = tuple(dict.fromkeys([row[0] for row in old] + list(drop)))
        if ids:
            with self._write("prune") as connection:
                connection.executemany("DELETE FROM operations WHERE id = ?", [(name,) for name in ids])
        return ids

    # Intents.

    def intend(self, operation: str, kind: str, facts: Mapping[str, Any]) -> int:
        """Write an intent down; on disk when this returns. Returns its number."""
        with self._write(f"intend.{kind}", durable=True) as connection:
            cursor = connection.execute(
                "INSERT INTO intents (operation, kind, facts, made) VALUES (?, ?, ?, ?)",
                (operation, kind, _json.encode(facts), time.time()),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def settle(self, numbers: tuple[int, ...], kind: str = "") -> None:
        if not numbers:
            return
        with self._write(f"settle.{kind}" if kind else "settle", durable=True) as connection:
            connection.executemany("DELETE FROM intents WHERE number = ?", [(n,) for n in numbers])

    def trouble(self, number: int, text: str) -> None:
        """Undoing an intent failed: it stays, to be tried again."""
        with self._write("trouble") as connection:
            connection.execute("UPDATE intents SET trouble = ? WHERE number = ?", (text, number))

    def intents(self, operation: str = "") -> tuple[StoredIntent, ...]:
        """What is not settled, newest first; of one operation or of all."""
        condition = "WHERE operation = ?" if operation else "WHERE ? = ''"
        rows = self._read(
            f"SELECT number, operation, kind, facts, trouble FROM intents {condition} ORDER BY number DESC",
            operation,
        )
        return tuple(
            StoredIntent(number, owner, kind, msgspec.json.decode(facts), trouble)
            for number, owner, kind, facts, trouble in rows
        )

    # Machines, projects, settings.

    def save_machine(self, record: MachineRecord) -> None:
        # Not durable by itself: the end of the operation is, and takes all earlier writes along.
        with self._write("machine.save") as connection:
            _put_machine(connection, record)

    def drop_machine(self, machine_id: str) -> None:
        with self._write("machine.drop") as connection:
            connection.execute("DELETE FROM machines WHERE id = ?", (machine_id,))

    def machines(self) -> tuple[tuple[MachineRecord, ...], tuple[str, ...]]:
        """All records, and the ids of those that this version cannot read (they are kept)."""
        records: list[MachineRecord] = []
        strange: list[str] = []
        for machine_id, body in self._read("SELECT id, body FROM machines ORDER BY project, name"):
            record = read_record(body)
            if record is not None:
                records.append(record)
            else:
                strange.append(machine_id)
        return tuple(records), tuple(strange)

    def keep_destroyed(self, kept: KeptRecord) -> None:
        """The machine is no more, but for what can be brought back."""
        with self._write("machine.keep", durable=True) as connection:
            connection.execute("DELETE FROM machines WHERE id = ?", (kept.id,))
            connection.execute(
                "INSERT OR REPLACE INTO destroyed VALUES (?, ?)", (kept.id, _json.encode(kept))
            )

    def bring_back(self, record: MachineRecord) -> None:
        """What was destroyed is a machine again."""
        with self._write("machine.recover", durable=True) as connection:
            connection.execute("DELETE FROM destroyed WHERE id = ?", (record.id,))
            _put_machine(connection, record)

    def drop_destroyed(self, machine_id: str) -> None:
        with self._write("destroyed.drop") as connection:
            connection.execute("DELETE FROM destroyed WHERE id = ?", (machine_id,))

    def destroyed(self) -> tuple[KeptRecord, ...]:
        """Those that can be brought back."""
        kept = (read_kept(row[0]) for row in self._read("SELECT body FROM destroyed"))
        return tuple(record for record in kept if record is not None)

    def open_project(self, root: str) -> None:
        with self._write("project.open") as connection:
            connection.execute("INSERT OR REPLACE INTO projects VALUES (?, ?)", (root, time.time()))

    def drop_project(self, root: str) -> None:
        with self._write("project.drop") as connection:
            connection.execute("DELETE FROM projects WHERE root = ?", (root,))

    def projects(self) -> tuple[str, ...]:
        return tuple(row[0] for row in self._read("SELECT root FROM projects ORDER BY root"))

    def setting(self, name: str) -> Any:
        """A setting's value, None where it was never set."""
        rows = self._read("SELECT value FROM settings WHERE name = ?", name)
        return msgspec.json.decode(rows[0][0]) if rows else None

    def set(self, name: str, value: Any) -> None:
        with self._write(f"setting.{name}") as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, _json.encode(value)))

    # Below: the connection.

    @contextmanager
    def _write(self, point: str, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction. ``durable``: it survives a power cut too, not only the end of the process.
        ``point``: what is passed before and after it, "" for none."""
        with self._lock:
            connection = self._connection
            self._reserve.tend()
            try:
                if durable:
                    connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    if point:
                        self._point(f"{point}/before")
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                finally:
                    if durable:
                        connection.execute("PRAGMA synchronous = NORMAL")
            except sqlite3.Error as error:
                raise BoxwrightError(
                    "The journal cannot be written.",
                    why=f"{self.path}: {error}",
                    remedy=f"df -h {self.path.parent}",
                ) from error
            if point:
                self._point(f"{point}/after")

    def _read(self, statement: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _number_of_logs(self) -> int:
        """The highest number among logs, which a journal that was replaced does not know."""
        logs = self.path.parent / "operations"
        return max((int(path.stem) for path in logs.glob("*.log") if path.stem.isdecimal()), default=0)


def _put_machine(connection: sqlite3.Connection, record: MachineRecord) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO machines (id, project, name, body) VALUES (?, ?, ?, ?)",
        (record.id, record.key.project, record.key.name, _json.encode(record)),
    )


def _put_step(connection: sqlite3.Connection, step: Step) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO steps (operation, id, body) VALUES (?, ?, ?)",
        (step.operation, step.id, _json.encode(step)),
    )


def _nothing(_point: str) -> None:
    pass

"""The machines that the engine knows: records in the journal, views in memory, changes as events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from core.engine.keeping import Keeping
from core.engine.records import KeptRecord, MachineRecord
from core.errors import NotFoundError
from core.model.box import BoxKey
from core.model.event import Change, MachineChanged, MachineGone
from core.model.machine import Holder, Machine, MachineKey, MachineState
from core.model.project import MachineSpec, Project, parse_size
from core.model.work import UndoTable
from core.providers.base import Seen
from core.undo import remove

RECORD = "machine.record"
"""Kind of intent: undone by removing the folders ``paths``, then the record of machine ``id``."""

MOVING = (MachineState.STARTING, MachineState.STOPPING)


class RecordStore(Protocol):
    """Where records are kept durably (the journal)."""

    def save_machine(self, record: MachineRecord) -> None: ...

    def drop_machine(self, machine_id: str) -> None: ...

    def keep_destroyed(self, kept: KeptRecord) -> None: ...

    def bring_back(self, record: MachineRecord) -> None: ...

    def drop_destroyed(self, machine_id: str) -> None: ...


class MachineRegistry:
    """All machines: created ones by their records, the others by their project's file.

    Used on the engine's loop only. Every change that shows is published at once.
    """

    def __init__(
        self,
        store: RecordStore,
        publish: Callable[[Change], None],
        records: Iterable[MachineRecord] = (),
        kept: Iterable[KeptRecord] = (),
    ) -> None:
        self.kept = Keeping(kept)
        """What was destroyed and can be brought back; changed by this registry alone."""
        self._store = store
        self._publish = publish
        self._records: dict[MachineKey, MachineRecord] = {record.key: record for record in records}
        self._ids: dict[str, MachineKey] = {record.id: record.key for record in self._records.values()}
        self._specs: dict[MachineKey, Machine] = {}
        self._holders: dict[str, Holder] = {}
        self._waiting: dict[str, tuple[Holder, ...]] = {}
        self._shown: dict[MachineKey, Machine] = {}
        for key in self._records:
            self._shown[key] = self.view(key)

    @property
    def undo(self) -> UndoTable:
        """``machine.record``: nothing of machine ``id`` is to be left."""
        return {RECORD: self._undo_record}

    async def _undo_record(self, facts: Mapping[str, Any]) -> None:
        # The record goes last: what still has one is never an orphan.
        for path in facts["paths"]:
            await asyncio.to_thread(remove, Path(path))
        key = self._ids.get(facts["id"])
        if key is not None:
            self.remove(key)

    # Records.

    def get(self, key: MachineKey) -> MachineRecord | None:
        """The record of a created machine, None where it is not created."""
        return self._records.get(key)

    def require(self, key: MachineKey) -> MachineRecord:
        """The record of a created machine. Raises NotFoundError, with the remedy, where it is not created."""
        record = self._records.get(key)
        if record is None:
            raise NotFoundError(
                f"The machine {key.name!r} is not created.", remedy=f"boxwright up {key.name}"
            )
        return record

    def by_id(self, machine_id: str) -> MachineRecord | None:
        key = self._ids.get(machine_id)
        return self._records[key] if key is not None else None

    def records(self) -> tuple[MachineRecord, ...]:
        return tuple(self._records.values())

    def put(self, record: MachineRecord) -> None:
        """Store a record, new or in place of the one with the same key; durable on return."""
        before = self._records.get(record.key)
        if before == record:
            return
        if before is not None and before.id != record.id:
            self._store.drop_machine(before.id)
            self._ids.pop(before.id, None)
        self._store.save_machine(record)
        self._records[record.key] = record
        self._ids[record.id] = record.key
        self._show(record.key)

    def change(self, key: MachineKey, **fields: Any) -> MachineRecord:
        """Replace some fields of a record, e.g. ``change(key, state=MachineState.STOPPED, started=None)``.
        Raises NotFoundError where the machine is not created."""
        record = msgspec.structs.replace(self.require(key), **fields)
        self.put(record)
        return record

    def remove(self, key: MachineKey) -> None:
        """Forget a record; the machine is then shown as not created, or not at all."""
        record = self._records.pop(key, None)
        if record is None:
            return
        self._store.drop_machine(record.id)
        self._ids.pop(record.id, None)
        self._show(key)

    # What was destroyed.

    def keep(self, kept: KeptRecord) -> None:
        """A machine is destroyed, but can be brought back; durable on return."""
        self._store.keep_destroyed(kept)
        del self._records[kept.key]
        self._ids.pop(kept.id, None)
        self.kept.add(kept)
        self._show(kept.key)

    def bring_back(self, kept: KeptRecord) -> None:
        """A destroyed machine is there again; nothing else may have its key. Durable on return."""
        self._store.bring_back(kept.record)
        self.kept.drop(kept.id)
        self._records[kept.key] = kept.record
        self._ids[kept.id] = kept.key
        self._show(kept.key)

    def give_up(self, kept: KeptRecord) -> None:
        """Nobody can bring it back any more, and it is to be removed, by the next engine if need be."""
        given_up = msgspec.structs.replace(kept, until=0.0)
        self._store.keep_destroyed(given_up)
        self.kept.add(given_up)
        self._show(kept.key)

    def forget_kept(self, kept: KeptRecord) -> None:
        """Its folder is gone: nothing brings it back any more."""
        self._store.drop_destroyed(kept.id)
        self.kept.drop(kept.id)
        self._show(kept.key)

    def seen(self, machine_id: str, seen: Seen, *, force: bool = False) -> bool:
        """What the provider found. A machine that a handler is starting or stopping is left to
        the handler unless with ``force``: then this returns False, and somebody has to look again."""
        record = self.by_id(machine_id)
        if record is None:
            return True
        if not force and record.state in MOVING and str(record.key) in self._holders:
            return False
        state = seen.state
        trouble = seen.trouble
        if state is MachineState.ABSENT:
            state = MachineState.BROKEN
            trouble = trouble or f"Nothing of it is left at {record.provider}."
        fields: dict[str, Any] = {"state": state, "trouble": trouble}
        if state is MachineState.RUNNING:
            fields["started"] = seen.started or record.started
            fields["started_at"] = record.started_at or time.time()
        elif state is not MachineState.BROKEN:
            fields["started"] = None
            fields["started_at"] = 0.0
        self.put(msgspec.structs.replace(record, **fields))
        return True

    def linked_to(self, box: BoxKey) -> tuple[MachineKey, ...]:
        """The machines that a box may not be taken from under."""
        return tuple(sorted(record.key for record in self._records.values() if record.box == box))

    # Views.

    def view(self, key: MachineKey) -> Machine:
        """The machine as it is shown. Raises NotFoundError for one that nobody knows."""
        record = self._records.get(key)
        plain = record.view() if record is not None else self._described(key)
        if plain is None:
            raise NotFoundError(
                f"There is no machine {key.name!r} in {key.project}.", remedy="boxwright status"
            )
        subject = str(key)
        holder = self._holders.get(subject)
        waiting = self._waiting.get(subject, ())
        if holder is None and not waiting:
            return plain
        return msgspec.structs.replace(plain, holder=holder, waiting=waiting)

    def _described(self, key: MachineKey) -> Machine | None:
        """A machine that is not created."""
        plain = self._specs.get(key)
        kept = self.kept.last(key)
        return msgspec.structs.replace(plain, kept=kept.view()) if plain and kept else plain

    def views(self, project: str = "") -> tuple[Machine, ...]:
        """Machines of one project in the order of its file (those no longer in it come last), or of all."""
        keys = [*self._specs, *sorted(key for key in self._records if key not in self._specs)]
        if project:
            keys = [key for key in keys if key.project == project]
        else:
            keys.sort(key=lambda key: key.project)
        return tuple(self.view(key) for key in keys)

    def projects(self) -> frozenset[str]:
        """Roots of the projects that have created machines."""
        return frozenset(key.project for key in self._records)

    def describe(self, project: Project) -> None:
        """Take over what a project's file says, in place of what it said before."""
        specs = {
            MachineKey(project.root, name): absent_view(project, name, spec)
            for name, spec in project.machines.items()
        }
        gone = [key for key in self._specs if key.project == project.root and key not in specs]
        for key in [key for key in self._specs if key.project == project.root]:
            del self._specs[key]
        self._specs.update(specs)
        for key in (*specs, *gone):
            self._show(key)

    def forget_project(self, root: str) -> None:
        """A project whose file is gone: only its created machines remain."""
        for key in [key for key in self._specs if key.project == root]:
            del self._specs[key]
            self._show(key)

    def held(self, subject: str, holder: Holder | None, waiting: tuple[Holder, ...]) -> None:
        """Who holds a subject and who waits for it, as the scheduler says."""
        if holder is None:
            self._holders.pop(subject, None)
        else:
            self._holders[subject] = holder
        if waiting:
            self._waiting[subject] = waiting
        else:
            self._waiting.pop(subject, None)
        key = self.key_of(subject)
        if key is not None:
            self._show(key)

    def key_of(self, subject: str) -> MachineKey | None:
        """The known machine that a subject of an operation means, None for a box, a build or nothing."""
        root, _, name = subject.rpartition(":")
        key = MachineKey(root, name)
        return key if key in self._records or key in self._specs else None

    def _show(self, key: MachineKey) -> None:
        if key not in self._records and key not in self._specs:
            if self._shown.pop(key, None) is not None:
                self._publish(MachineGone(key))
            return
        view = self.view(key)
        if self._shown.get(key) != view:
            self._shown[key] = view
            self._publish(MachineChanged(view))


def absent_view(project: Project, name: str, spec: MachineSpec) -> Machine:
    """A machine that is in the project's file, but not created."""
    return Machine(
        key=MachineKey(project.root, name),
        state=MachineState.ABSENT,
        project_name=project.name,
        box=str(spec.box),
        box_version=spec.version,
        cpus=spec.cpus,
        memory=parse_size(spec.memory),
    )

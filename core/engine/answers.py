"""Answers to queries: from memory, SQLite and small files, at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from core.engine.commands import Handlers
from core.engine.context import Context
from core.engine.journal import Journal
from core.engine.log import read_log, read_segments
from core.engine.scheduler import Scheduler
from core.engine.watching import Watcher
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.box import BoxUse
from core.model.operation import Operation
from core.model.project import Project
from core.model.query import (
    Answer,
    Boxes,
    BuildNow,
    BuildView,
    Destroyed,
    EngineView,
    GetBoxes,
    GetBuild,
    GetDestroyed,
    GetEngine,
    GetLog,
    GetMachines,
    GetOperation,
    GetOperations,
    GetProject,
    GetProviders,
    GetSerial,
    Log,
    Machines,
    Operations,
    OperationView,
    ProjectView,
    Providers,
    Query,
)

LARGEST = 4 * 1024 * 1024
"""Bytes of a log in one answer."""


def operation_id(text: str) -> str:
    """An operation's id as the journal has it: ``17`` is short for ``000017``."""
    return f"{int(text):06d}" if text.isascii() and text.isdecimal() else text


class Answers:
    """Raises BoxwrightError (NotFoundError, UsageError) for what cannot be answered."""

    def __init__(
        self,
        *,
        context: Context,
        handlers: Handlers,
        journal: Journal,
        scheduler: Scheduler,
        watcher: Watcher,
        engine: Callable[[], EngineView],
    ) -> None:
        self._context = context
        self._handlers = handlers
        self._journal = journal
        self._scheduler = scheduler
        self._watcher = watcher
        self._engine = engine
        self._known = set(journal.projects())
        self._table: dict[type[Any], Callable[[Any], Answer]] = {
            GetMachines: self._machines,
            GetDestroyed: self._destroyed,
            GetProject: self._project,
            GetBoxes: self._boxes,
            GetProviders: lambda _query: Providers(self._watcher.probes()),
            GetOperations: self._operations,
            GetOperation: self._operation,
            GetLog: self._log,
            GetSerial: self._serial,
            GetBuild: self._build,
            GetEngine: lambda _query: self._engine(),
        }

    def answer(self, query: Query) -> Answer:
        return self._table[type(query)](query)

    def open_project(self, root: str) -> Project:
        """Read a project (if it has changed) and remember it. Raises BoxwrightError."""
        if not root.startswith("/"):
            raise UsageError(f"A project's folder must be an absolute path, not {root!r}.")
        root = str(Path(root))
        project = self._context.projects.load(root)
        if root not in self._known:
            self._known.add(root)
            self._journal.open_project(root)
        return project

    def open_all(self) -> None:
        """Read all projects that are known; forget those whose folder is gone."""
        with_machines = self._context.machines.projects()
        for root in sorted(self._known | with_machines):
            try:
                self.open_project(root)
            except BoxwrightError:
                if root not in with_machines and root in self._known and not Path(root).is_dir():
                    self._known.discard(root)
                    self._context.projects.forget(root)
                    self._journal.drop_project(root)

    def _machines(self, query: GetMachines) -> Machines:
        if not query.project:
            self.open_all()
            return Machines(self._context.machines.views())
        problem = None
        try:
            self.open_project(query.project)
        except BoxwrightError as error:
            problem = error.problem
        return Machines(self._context.machines.views(str(Path(query.project))), problem)

    def _destroyed(self, query: GetDestroyed) -> Destroyed:
        project = str(Path(query.project)) if query.project else ""
        return Destroyed(tuple(kept.view() for kept in self._context.machines.kept.all(project)))

    def _project(self, query: GetProject) -> ProjectView:
        root = str(Path(query.project))
        try:
            project = self.open_project(query.project)
        except BoxwrightError as error:
            names = tuple(machine.name for machine in self._context.machines.views(root))
            return ProjectView(root=root, machines=names, problem=error.problem)
        return ProjectView(
            root=root,
            file=project.file,
            name=project.name,
            builds=self._builds(project),
            machines=tuple(project.machines),
            provisioners={
                name: tuple(item.title(number) for number, item in enumerate(spec.provision, 1))
                for name, spec in project.machines.items()
            },
        )

    def _builds(self, project: Project) -> tuple[BuildView, ...]:
        if self._handlers.build_views is not None:
            views = self._handlers.build_views(self._context, project)
        else:
            views = tuple(
                BuildView(name=name, description=spec.description) for name, spec in project.builds.items()
            )
        recent = [*self._scheduler.recent(), *(run.view() for run in self._scheduler.running())]
        last = {operation.subject: operation for operation in recent}
        return tuple(_with_operation(view, last.get(f"build:{project.root}:{view.name}")) for view in views)

    def _build(self, query: GetBuild) -> BuildNow:
        run = self._scheduler.find(operation_id(query.operation))
        if run is None or run.view().command != "build.run":
            raise NotFoundError(f"No build runs as operation {query.operation}.", remedy="boxwright ops")
        subject = run.view().subject
        project, _, name = subject.removeprefix("build:").rpartition(":")
        question = self._context.questions.of(subject)
        return BuildNow(
            project=project,
            name=name,
            question=question.text if question else "",
            answers=question.answers if question else {},
            endpoint=question.endpoint if question else None,
            screens=self._context.screens.of(subject),
        )

    def _boxes(self, query: GetBoxes) -> Boxes:
        boxes = self._context.known_boxes()
        return Boxes(
            tuple(
                BoxUse(box, tuple(str(key) for key in self._context.machines.linked_to(box.key)))
                for box in sorted(boxes, key=lambda box: box.key)
                if query.name in ("", box.name)
            )
        )

    def _operations(self, query: GetOperations) -> Operations:
        running = {run.id: run.view() for run in self._scheduler.running()}
        if query.running:
            views = [view for view in reversed(running.values()) if query.project in ("", view.project)]
            return Operations(tuple(views[: max(0, query.limit)]))
        stored = self._journal.operations(project=query.project, limit=max(0, query.limit))
        return Operations(tuple(running.get(operation.id, operation) for operation in stored))

    def _operation(self, query: GetOperation) -> OperationView:
        name = operation_id(query.operation)
        run = self._scheduler.find(name)
        path = self._log_path(name)
        segments = read_segments(path)
        if run is not None:
            return OperationView(run.view(), run.steps(), segments, str(path))
        operation = self._journal.operation(name)
        if operation is None:
            raise NotFoundError(f"There is no operation {query.operation}.", remedy="boxwright ops")
        return OperationView(operation, self._journal.steps(name), segments, str(path))

    def _log_path(self, operation: str) -> Path:
        return self._context.locations.operations / f"{operation}.log"

    def _log(self, query: GetLog) -> Log:
        name = operation_id(query.operation)
        if self._scheduler.find(name) is None and self._journal.operation(name) is None:
            raise NotFoundError(f"There is no operation {query.operation}.", remedy="boxwright ops")
        path = self._log_path(name)
        data, size = read_log(path, query.offset, min(query.limit, LARGEST))
        offset = min(max(query.offset, 0), size)
        segments = read_segments(path, offset, offset + len(data))
        return Log(data=data, offset=offset, size=size, path=str(path), segments=segments)

    def _serial(self, query: GetSerial) -> Log:
        record = self._context.machines.require(query.machine)
        found = self._context.provider(record.provider).serial_log(record.plan)
        if found is None:
            raise NotFoundError(
                f"Nothing is kept of the serial console of {query.machine.name!r}.",
                why=f"The provider {record.provider} keeps no such log.",
            )
        limit = min(max(query.limit, 0), LARGEST)
        size = read_log(Path(found), 0, 0)[1]
        offset = max(0, size - limit)
        return Log(data=read_log(Path(found), offset, limit)[0], offset=offset, size=size, path=found)


def _with_operation(view: BuildView, operation: Operation | None) -> BuildView:
    if operation is None:
        return view
    state = view.state if operation.state.ended else "running"
    return msgspec.structs.replace(view, operation=operation.id, state=state)

"""What the bridge asks by itself: projects and operations, of which events say only that they changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable

from core.errors import BoxwrightError
from core.model.event import BoxChanged, BoxGone, Event, OperationChanged, ProjectChanged, Snapshot
from core.model.operation import Operation
from core.model.query import Answer, GetOperation, GetProject, OperationView, ProjectView, Query
from tui.store import Draft, State


class Inquiries:
    """Answers are kept until they are taken into the state. ``ask`` reaches the engine; ``arrived`` is called
    with each answer."""

    def __init__(
        self,
        ask: Callable[[Query], Awaitable[Answer]],
        arrived: Callable[[], None],
        *,
        everywhere: bool = False,
    ) -> None:
        self._ask = ask
        self._arrived = arrived
        self._projects: list[ProjectView] = []
        self._views: list[OperationView] = []
        self._asked: set[str] = set()
        self._wanted: dict[str, None] = {}
        """Projects to be asked for, one after another: there may be many."""
        self._asking_projects = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._everywhere = everywhere
        """All projects are wanted."""

    # What is wanted.

    def operation(self, operation: str) -> None:
        """Steps and the place of the log, once."""
        if operation and operation not in self._asked:
            self.operation_again(operation)

    def operation_again(self, operation: str) -> None:
        """Anew, as its log has grown."""
        self._asked.add(operation)
        self._spawn(self._fetch_operation(operation))

    def project(self, root: str) -> None:
        """Anew."""
        self._wanted[root] = None
        if not self._asking_projects:
            self._asking_projects = True
            self._spawn(self._fetch_projects())

    def everywhere(self, state: State) -> None:
        """All projects that there is anything of, now and from now on."""
        self._everywhere = True
        roots = {machine.key.project for machine in state.machines.values()} | _built(
            state.operations.values()
        )
        for root in sorted(roots - set(state.projects)):
            self.project(root)

    # News.

    def began(self) -> None:
        """With another engine everything may be new."""
        self._asked.clear()

    def follow_up(self, item: Snapshot | Event, state: State, project: str) -> None:
        """What has to be asked for because of what happened. ``project``: the workbench's own, or ""."""
        if isinstance(item, Snapshot):
            roots = _built(item.operations, running=not self._everywhere)
            if self._everywhere:
                roots |= {machine.key.project for machine in item.machines}
            for root in sorted(roots - {project}):
                self.project(root)
            return
        change = item.change
        if isinstance(change, ProjectChanged):
            if self._everywhere or change.root == project or change.root in state.projects:
                self.project(change.root)
        elif isinstance(change, OperationChanged):
            operation = change.operation
            builds = operation.command == "build.run" and bool(operation.project)
            if builds and (operation.state.ended or operation.project not in state.projects):
                self.project(operation.project)
        elif isinstance(change, BoxChanged | BoxGone):
            name = str(change.box.key) if isinstance(change, BoxChanged) else change.box
            for root in {project, *_made(state, name)} - {""}:
                self.project(root)

    # Answers.

    def take_project(self, view: ProjectView) -> None:
        self._projects = [known for known in self._projects if known.root != view.root] + [view]

    def pour(self, draft: Draft) -> None:
        """Give it what was answered."""
        for project in self._projects:
            draft.take_project(project)
        for view in self._views:
            draft.take_operation(view)
        self._projects, self._views = [], []

    @property
    def answered(self) -> bool:
        """Something was, and is not in the state yet."""
        return bool(self._projects or self._views)

    def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    async def _fetch_operation(self, operation: str) -> None:
        try:
            view = await self._ask(GetOperation(operation=operation))
        except (BoxwrightError, OSError):
            self._asked.discard(operation)
            return
        if isinstance(view, OperationView):
            self._views.append(view)
            self._arrived()

    async def _fetch_projects(self) -> None:
        try:
            while self._wanted:
                # The last one that was wanted is what somebody waits for.
                root, _ = self._wanted.popitem()
                await self._fetch_project(root)
        finally:
            self._asking_projects = False

    async def _fetch_project(self, root: str) -> None:
        try:
            view = await self._ask(GetProject(project=root))
        except (BoxwrightError, OSError):
            return
        if isinstance(view, ProjectView):
            self.take_project(view)
            self._arrived()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _built(operations: Iterable[Operation], *, running: bool = False) -> set[str]:
    """Projects of which builds ran, or with ``running`` run now."""
    return {
        operation.project
        for operation in operations
        if operation.command == "build.run" and operation.project and not (running and operation.state.ended)
    }


def _made(state: State, box: str) -> set[str]:
    """Projects of which a build has made that box."""
    return {
        root
        for root, view in state.projects.items()
        if any(build.box is not None and str(build.box.key) == box for build in view.builds)
    }

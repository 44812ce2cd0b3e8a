"""The engine: submit, query, subscribe. The same object in process and behind the socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path

import core
from core import undo as shared_undo
from core.engine import keeping
from core.engine.answers import Answers, operation_id
from core.engine.commands import Handlers
from core.engine.context import Context
from core.engine.hub import Hub, Subscription
from core.engine.idleness import Idleness
from core.engine.installed import installed_providers
from core.engine.journal import Journal, Point
from core.engine.lock import EngineLock
from core.engine.projects import ProjectCache, read_project
from core.engine.recovery import recover, settle_states
from core.engine.registry import MachineRegistry
from core.engine.retention import prune
from core.engine.scheduler import Scheduler
from core.engine.subjects import Subjects
from core.engine.undoing import Ledger, UndoTables
from core.engine.watching import Watcher
from core.errors import BoxwrightError, NotFoundError, ProviderError
from core.model.command import Command
from core.model.event import Change, Snapshot
from core.model.machine import MachineKey, MachineState, Stats
from core.model.operation import Operation
from core.model.project import Project
from core.model.provider import Capability, Probe
from core.model.query import Answer, EngineView, GetSerial, Query
from core.paths import Locations
from core.providers.base import Console, Fetching, Provider

IDLE_EXIT = 900.0
POLL = 2.0
"""Seconds between two looks at the files of projects, while somebody listens."""

FETCH = 5.0
"""Seconds for a hypervisor to hand over what a console said."""

_PRUNE_EVERY = 25

_log = logging.getLogger(__name__)


class Engine:
    """One user's engine. ``start`` it before anything else; on one event loop only.

    ``providers`` and ``handlers`` are those that are installed unless given; ``idle_exit`` is the number
    of seconds without work and clients after which ``idle_in`` is 0 (0: never); ``on_point`` is called
    around each write of the journal; ``read`` reads a project's folder.
    """

    def __init__(
        self,
        locations: Locations,
        *,
        providers: Mapping[str, Provider] | None = None,
        handlers: Handlers | None = None,
        idle_exit: float = IDLE_EXIT,
        on_point: Point | None = None,
        read: Callable[[Path], Project] = read_project,
    ) -> None:
        self.locations = locations
        self.idle_exit = idle_exit
        self.started = 0.0
        self._given_providers = providers
        self._given_handlers = handlers
        self._on_point = on_point
        self._read = read
        self._lock = EngineLock(locations.data)
        self._rest = Idleness(idle_exit)
        self._ended_count = 0
        self._trouble = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._ending = asyncio.Lock()
        self.before_end: list[Callable[[], None]] = []
        """Called when the engine ends, while it still has its lock."""

    async def start(self) -> None:
        """Take the lock, read the journal, put in order what an earlier engine left, look around.

        Raises BusyError where another engine runs on the same data, BoxwrightError where the
        journal cannot be used.
        """
        self.locations.prepare()
        self._lock.acquire()
        try:
            await self._begin()
        except BaseException:
            self._lock.release()
            raise

    async def _begin(self) -> None:
        self.started = time.time()
        self.journal = Journal(self.locations.journal, on_point=self._on_point)
        if self.journal.moved_aside:
            self._trouble = (
                f"The journal was damaged and begun anew; it is kept as {self.journal.moved_aside}."
            )
            _log.error("%s", self._trouble)
        settle_states(self.journal)
        providers, broken = self._load_providers()
        handlers = self._given_handlers or Handlers.installed()
        self.hub = Hub(self._snapshot)
        records, strange = self.journal.machines()
        if strange:
            self._trouble = f"Records of machines that cannot be read: {', '.join(strange)}."
            _log.error("%s", self._trouble)
        self.machines = MachineRegistry(self.journal, self.publish, records, self.journal.destroyed())
        tables = [provider.undo for provider in providers.values()]
        ledger = Ledger(
            self.journal, UndoTables([shared_undo.SHARED, self.machines.undo, handlers.undo, *tables])
        )
        recent = (*self.journal.operations(limit=50)[::-1],)
        ended = await recover(self.journal, ledger, self.locations.operations)
        recovered = {operation.id: operation for operation in ended}
        self.watcher = Watcher(providers, self.machines, self.publish, broken)
        self.scheduler = Scheduler(
            handlers=handlers,
            journal=self.journal,
            ledger=ledger,
            subjects=Subjects(self.machines.held),
            publish=self.publish,
            ended=self._operation_ended,
            recent=[recovered.get(operation.id, operation) for operation in recent],
        )
        self.context = Context(
            locations=self.locations,
            providers=providers,
            machines=self.machines,
            projects=ProjectCache(self.publish, self._project_read, self._read),
            publish=self.publish,
            hold=self.scheduler.hold,
            prober=self.watcher,
        )
        self.scheduler.attach(self.context)
        self._answers = Answers(
            context=self.context,
            handlers=handlers,
            journal=self.journal,
            scheduler=self.scheduler,
            watcher=self.watcher,
            engine=self._view,
        )
        await self.watcher.start()
        self._spawn(self._look_around())

    def _load_providers(self) -> tuple[Mapping[str, Provider], tuple[Probe, ...]]:
        if self._given_providers is not None:
            return self._given_providers, ()
        return installed_providers()

    # The three verbs, and what goes with them.

    def submit(self, command: Command) -> str:
        """Begin a command, or queue it; the id of its operation. Raises where it is refused outright."""
        self._rest.used()
        return self.scheduler.submit(command)

    def cancel(self, operation: str) -> None:
        """Cancel an operation and undo what it began. Raises NotFoundError for one that nobody knows."""
        self._rest.used()
        self.scheduler.cancel(operation_id(operation))

    def query(self, query: Query) -> Answer:
        """Answer at once, from memory, SQLite or a small file."""
        self._rest.used()
        return self._answers.answer(query)

    async def answer(self, query: Query) -> Answer:
        """:meth:`query`, once what it reads is there; a hypervisor that is slow is not waited for."""
        if isinstance(query, GetSerial):
            record = self.machines.require(query.machine)
            provider = self.context.provider(record.provider)
            if isinstance(provider, Fetching):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FETCH):
                        await provider.fetch_console(record.plan)
        return self.query(query)

    def subscribe(self, since: int = 0) -> Subscription:
        """Every change after number ``since``, beginning with a snapshot where that is too long ago."""
        self._rest.used()
        return self.hub.subscribe(since)

    def refresh(self, project: str = "") -> None:
        """Probe the providers and look at the machines again, in the background."""
        self._rest.used()
        if project:
            # What is wrong with a project's file is told by queries of it.
            with contextlib.suppress(BoxwrightError):
                self._answers.open_project(project)
        else:
            self._answers.open_all()
        self.watcher.refresh(
            [record for record in self.machines.records() if project in ("", record.key.project)]
        )

    async def stats(self, machine: MachineKey) -> Stats:
        """One measurement of a running machine. Raises ProviderError where there is none to be had."""
        record = self.machines.require(machine)
        provider = self.context.provider(record.provider)
        self._need(provider, Capability.STATS, record.state, machine)
        return await provider.stats(record.plan)

    async def serial(self, machine: MachineKey) -> Console:
        """The serial console of a running machine."""
        record = self.machines.require(machine)
        provider = self.context.provider(record.provider)
        self._need(provider, Capability.SERIAL, record.state, machine)
        return await provider.console(record.plan)

    def _need(
        self, provider: Provider, capability: Capability, state: MachineState, machine: MachineKey
    ) -> None:
        if capability not in provider.capabilities:
            raise ProviderError(f"The provider {provider.name} has no {capability.value}.")
        if state in (MachineState.STOPPED, MachineState.SUSPENDED):
            raise NotFoundError(
                f"The machine {machine.name!r} is {state.value}.", remedy=f"boxwright up {machine.name}"
            )

    # Clients, rest and end.

    def client_came(self) -> None:
        self._rest.came()

    def client_left(self) -> None:
        self._rest.left()

    @property
    def clients(self) -> int:
        return self._rest.clients

    @property
    def busy(self) -> int:
        """Operations that run or wait."""
        return self.scheduler.busy

    def idle_in(self) -> float:
        """Seconds until the engine counts as idle, if nothing comes up: 0 once nothing was to do and
        nobody was there for ``idle_exit`` seconds."""
        return self._rest.ends_in(bool(self.busy))

    async def stop(self, *, force: bool = False, wait: bool = False) -> None:
        """End in order. While operations run this raises BusyError; with ``wait`` it lets them end
        first (and takes no new ones), with ``force`` it cancels them, which undoes what they began."""
        if self.busy and not (force or wait):
            raise self.scheduler.busy_error("It is not stopped.", "boxwright engine stop --force")
        self.scheduler.close("It is about to end.")
        if force:
            await self.scheduler.cancel_all()
        else:
            await self.scheduler.drain()
        async with self._ending:
            if not self._stopped.is_set():
                await self._let_go()

    async def abandon(self) -> None:
        """End now. What operations had begun and not finished stays in the journal; the next engine
        undoes it. The caller has to end the process, as their code is not told."""
        self.scheduler.close("It is about to end.")
        self._stopped.set()
        self.hub.close()
        self.journal.close()

    def lost(self) -> bool:
        """Whether the data was removed or replaced while the engine works on it."""
        return self._lock.lost()

    @property
    def has_stopped(self) -> bool:
        """Nothing can be asked any more."""
        return self._stopped.is_set()

    async def stopped(self) -> None:
        """Until the engine has ended."""
        await self._stopped.wait()

    async def _let_go(self) -> None:
        for call in self.before_end:
            call()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.watcher.stop()
        await self.context.close()
        for name, provider in self.context.providers.items():
            try:
                await provider.close()
            except Exception:
                _log.exception("close of %s", name)
        self.hub.close()
        self.journal.close()
        self._lock.release()
        self._stopped.set()

    # What happens.

    def publish(self, change: Change) -> None:
        self.hub.publish(change)

    def _project_read(self, root: str, project: Project | None) -> None:
        if project is None:
            self.machines.forget_project(root)
        else:
            self.machines.describe(project)

    async def _operation_ended(self, operation: Operation) -> None:
        """Before an ended operation is told of: what it touched is shown as it is now."""
        self._rest.used()
        try:
            key = self.machines.key_of(operation.subject)
            if key is not None:
                await self.watcher.settle(self.machines.get(key), always=not operation.state.good)
            if operation.subject.startswith(("box:", "build:")):
                self.context.boxes_changed()
        except Exception:
            # The operation's own outcome must be told, whatever is wrong here.
            _log.exception("after operation %s", operation.id)
        self._ended_count += 1
        if self._ended_count % _PRUNE_EVERY == 0:
            self._spawn(self._prune())

    async def _look_around(self) -> None:
        await self._prune()
        self._answers.open_all()
        while True:
            await asyncio.sleep(POLL)
            if self.machines.kept.due(time.time()):
                await self._prune()
            if self.hub.subscribers:
                self._answers.open_all()

    async def _prune(self) -> None:
        try:
            await asyncio.to_thread(prune, self.journal, self.locations.operations)
            await keeping.prune(self.machines, self.locations)
        except (BoxwrightError, OSError):
            _log.exception("removing what is old")

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What there is.

    def _snapshot(self, seq: int) -> Snapshot:
        running = self.scheduler.running()
        return Snapshot(
            seq=seq,
            machines=self.machines.views(),
            boxes=self.context.known_boxes(),
            operations=(*self.scheduler.recent(), *(run.view() for run in running)),
            steps=tuple(step for run in running for step in run.steps()),
            providers=self.watcher.probes(),
        )

    def _view(self) -> EngineView:
        return EngineView(
            version=core.__version__,
            pid=os.getpid(),
            started=self.started,
            clients=self.clients,
            running=self.busy,
            idle_exit=self.idle_exit,
            data=str(self.locations.data),
            socket=str(self.locations.socket),
            log=str(self.locations.engine_log),
            trouble=self._trouble,
        )

"""The bridge to the engine: the only file that knows how events arrive.

It keeps the :class:`~tui.store.State`, and tells its listener what changed: the first news at once, later
ones merged, at most ``frames`` times a second. It imports nothing of Textual, so that it can connect
while the interface is still loading.
"""

from __future__ import annotations

import asyncio
import enum
from typing import TYPE_CHECKING, Protocol, cast

import msgspec

from core.errors import BoxwrightError, NotFoundError
from core.model.event import Event, Snapshot
from core.model.query import GetEngine, GetProject, ProjectView
from tui.inquiries import Inquiries
from tui.precedence import KEYS
from tui.store import Draft, State

if TYPE_CHECKING:
    from core.client.base import Client, SerialLine
    from core.model.command import Command
    from core.model.machine import MachineKey, Stats
    from core.model.operation import Operation
    from core.model.query import Answer, Query

AGAIN = 1.0
"""Seconds between two attempts to reach an engine."""
_KEYS_FIRST = 0.1
"""Seconds for which news wait at most while keys are pressed."""


class LinkState(enum.StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


class Link(msgspec.Struct, frozen=True):
    """How the connection to the engine stands, and why where it does not."""

    state: LinkState
    why: str = ""
    remedy: str = ""


class Listener(Protocol):
    """Told on the event loop; must be quick."""

    def state_changed(self, changed: frozenset[str]) -> None:
        """``changed``: keys of events (``machine:...``), ``*`` for everything."""

    def link_changed(self, link: Link) -> None: ...


class Connector(Protocol):
    """Makes clients. With ``start``, an engine is started where none runs."""

    def __call__(self, *, start: bool) -> Client: ...


def connect_socket(*, start: bool) -> Client:
    """The user's engine in the background."""
    from core.client.socket import SocketClient

    return SocketClient(start=start)


class Bridge:
    """Made before the interface; ``attach`` the interface when it is there, ``run`` until cancelled."""

    def __init__(
        self, project: str = "", *, connector: Connector = connect_socket, frames: float = 10.0
    ) -> None:
        self.project = project
        """The project's folder, "" for none."""
        self.state = State()
        self.link = Link(LinkState.CONNECTING)
        self._connector = connector
        self._interval = 1 / frames
        self._client: Client | None = None
        self._start = True
        self._listener: Listener | None = None
        self._pending: list[Snapshot | Event] = []
        self._inquiries = Inquiries(self.query, self._arm, everywhere=not project)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._last = float("-inf")
        self._awaited: dict[str, asyncio.Future[Operation]] = {}

    def attach(self, listener: Listener) -> None:
        """From now on ``listener`` is told; it should look at ``state`` and ``link`` first."""
        self._listener = listener

    def limit_frames(self, frames: float) -> None:
        """How often a second the listener is told at most."""
        self._interval = 1 / frames

    # What the interface asks for.

    async def submit(self, command: Command) -> str:
        """The operation's id. Raises BoxwrightError."""
        return await self._wanted_client().submit(command)

    async def outcome(self, operation: str) -> Operation:
        """Waits until the operation has ended."""
        known = self.state.operations.get(operation)
        if known is not None and known.state.ended:
            return known
        waiting = self._awaited.setdefault(operation, asyncio.get_running_loop().create_future())
        return await asyncio.shield(waiting)

    async def cancel(self, operation: str) -> None:
        await self._wanted_client().cancel(operation)

    async def query(self, query: Query) -> Answer:
        return await self._wanted_client().query(query)

    async def stats(self, machine: MachineKey) -> Stats:
        """What a running machine uses, measured now. Raises BoxwrightError."""
        return cast("Stats", await self._wanted_client().stats(machine))

    async def serial(self, machine: MachineKey) -> SerialLine:
        return await self._wanted_client().serial(machine)

    async def refresh(self) -> None:
        await self._wanted_client().refresh()

    def want_operation(self, operation: str) -> None:
        """Fetch steps and the place of the log, once; they arrive as a change of the state."""
        self._inquiries.operation(operation)

    def ask_again(self, operation: str) -> None:
        """Fetch it anew, as its log has grown."""
        self._inquiries.operation_again(operation)

    def want_project(self, root: str) -> None:
        """Fetch the project anew; it arrives as a change of the state."""
        self._inquiries.project(root)

    def want_everywhere(self) -> None:
        """Fetch all projects that there is anything of, and those of which there will be."""
        self._inquiries.everywhere(self.state)

    # The connection.

    async def run(self) -> None:
        """Connect, and again whenever the engine is gone, until cancelled."""
        try:
            while True:
                lost = await self._session()
                self._set_link(lost)
                await asyncio.sleep(AGAIN)
        finally:
            self._inquiries.stop()
            await self._leave()

    async def _session(self) -> Link:
        """One connection, from its beginning to its end; why it ended."""
        # An engine that was stopped on purpose is not started again behind the user's back: that
        # happens with the next command. Listening itself never starts one, so that its end is noticed.
        listening = self._connector(start=False)
        try:
            if self._start:
                await self._wake()
            async for item in listening.subscribe():
                if self.link.state is not LinkState.LIVE:
                    self._set_link(Link(LinkState.LIVE))
                    self._inquiries.began()
                self._take(item)
        except NotFoundError:
            return Link(LinkState.LOST, "No engine runs any more.", "The next command starts it again.")
        except BoxwrightError as error:
            # It crashed, or does not start: try again.
            self._start = True
            return Link(
                LinkState.LOST,
                " ".join(filter(None, (error.problem.what, error.problem.why))),
                error.problem.remedy,
            )
        except (OSError, EOFError) as error:
            return Link(LinkState.LOST, str(error) or type(error).__name__)
        finally:
            await listening.close()
        return Link(LinkState.LOST, "The engine has ended.", "The next command starts it again.")

    async def _wake(self) -> None:
        """Start the engine where none runs, with a question whose answer is needed anyway."""
        client = self._wanted_client()
        if self.project:
            view = await client.query(GetProject(project=self.project))
            if isinstance(view, ProjectView):
                self._inquiries.take_project(view)
        else:
            await client.query(GetEngine())
        self._start = False

    async def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._client is not None:
            await self._client.close()

    def _wanted_client(self) -> Client:
        if self._client is None:
            self._client = self._connector(start=True)
        return self._client

    def _set_link(self, link: Link) -> None:
        if link != self.link:
            self.link = link
            if self._listener is not None:
                self._listener.link_changed(link)

    # News.

    def _take(self, item: Snapshot | Event) -> None:
        self._pending.append(item)
        self._inquiries.follow_up(item, self.state, self.project)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        delay = max(0.0, self._last + self._interval - loop.time())
        # Even the first news waits for the others that came with it.
        self._due = loop.time() + delay
        self._timer = loop.call_later(delay, self._flush)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        wait = KEYS.wait()
        if wait and loop.time() < self._due + _KEYS_FIRST:
            self._timer = loop.call_later(wait, self._flush)
            return
        self._timer = None
        self._last = loop.time()
        draft = Draft(self.state)
        draft.take(self._pending)
        self._inquiries.pour(draft)
        self._pending = []
        self.state = draft.done()
        self._tell_waiting()
        if self._listener is not None and draft.changed:
            self._listener.state_changed(frozenset(draft.changed))

    def _tell_waiting(self) -> None:
        for id in list(self._awaited):
            operation = self.state.operations.get(id)
            if operation is not None and operation.state.ended:
                self._awaited.pop(id).set_result(operation)

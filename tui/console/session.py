"""A console that lives on while nobody looks: a screen, what it is connected to, and the flow between."""

from __future__ import annotations

import asyncio
import enum
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BoxwrightError
from core.model.problem import Problem
from tui.console.keys import pasted
from tui.console.link import LineLink
from tui.console.outbox import Outbox, as_told
from tui.console.screen import Screen, begin_afresh, create
from tui.console.turns import TURNS, Flood

if TYPE_CHECKING:
    from tui.console.recording import Recording

_PIECE = 1 << 14
_AHEAD = 1 << 16
"""Bytes that may wait to be parsed; a guest that has sent more is held back at once."""
_AGAIN = 1.0
"""Seconds between two attempts to reach a guest that has gone away."""


class SessionState(enum.StrEnum):
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    """The guest has gone away; it is reached again as soon as it is back."""
    CLOSED = "closed"


class Session:
    """``changed`` is called when there is something new to draw or to show on the tab; at most once until
    the one who looks has called ``looked``."""

    def __init__(
        self, make_link: Callable[[], LineLink], name: str, owner: str = "", project: str = ""
    ) -> None:
        self.name = name
        """For the tab, until the guest sets a title."""
        self.owner = owner
        """Name of the machine."""
        self.project = project
        """The folder of its project."""
        self.state = SessionState.CONNECTING
        self.why = ""
        """Why it is closed."""
        self.problem: Problem | None = None
        self.lost = False
        """It has ended as its machine was destroyed, even where that was brought back since."""
        self.rang = False
        """The bell rang while nobody looked."""
        self.screen: Screen | None = None
        self.changed: Callable[[], None] = _nobody
        self.recording: Recording | None = None
        self.fixed = False
        """The size is the other side's: a recording that is played."""
        self.group: list[Session] = []
        """Those that get the same keys, where this one is among them."""
        self.peers: Callable[[], Sequence[Session]] = tuple
        """All that are open: two of one machine have different titles."""
        self.flood = Flood()
        self._make_link = make_link
        self._link: LineLink | None = None
        self._task: asyncio.Task[None] | None = None
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._drained = asyncio.Event()
        self._drained.set()
        self._paused = False
        self._outbox = Outbox(lambda: self._link if self.state is SessionState.OPEN else None)

    @property
    def title(self) -> str:
        own = self._own_title
        told = self.name if own is None else own
        same = (
            peer
            for peer in self.peers()
            if peer is not self and (peer.owner, peer.project) == (self.owner, self.project)
        )
        twice = own is not None and any(told in (peer.name, peer._own_title) for peer in same)
        return f"{self.name}: {told}" if twice else told

    @property
    def whose(self) -> str:
        """The machine; with its project where consoles of several are open."""
        several = any(peer.project != self.project for peer in self.peers() if peer.project)
        home = Path(self.project).name if several and self.project else ""
        return f"{home}/{self.owner}" if home and self.owner else self.owner

    @property
    def _own_title(self) -> str | None:
        """The one that the guest has set."""
        return (self.screen.title if self.screen else "") or None

    @property
    def caption(self) -> str:
        """What the other side has to say of itself."""
        return self._link.caption if self._link is not None else ""

    @property
    def gone(self) -> bool:
        """There is no machine any more to connect to."""
        return self._link is not None and self._link.gone

    @property
    def over(self) -> bool:
        """It has ended, and nothing can come back."""
        return self.state is SessionState.CLOSED and self.gone

    @property
    def connected(self) -> bool:
        return self.state is SessionState.OPEN

    # Opening and closing.

    def start(self, columns: int, rows: int) -> None:
        """Connect; again when it was closed (what is on the screen stays)."""
        if self._task is not None and not self._task.done():
            return
        if self.screen is None:
            self.screen = create(columns, rows)
        else:
            begin_afresh(self.screen)
        self.state, self.why, self.problem, self.lost = SessionState.CONNECTING, "", None, False
        self._task = asyncio.get_running_loop().create_task(self._live())
        self.changed()

    async def _live(self) -> None:
        lost = await self._connection()
        while lost and not self.gone:
            self.state = SessionState.WAITING
            self._tell()
            await asyncio.sleep(_AGAIN)
            if self._make_link().ready:
                lost = await self._connection()
        self.state, self.lost = SessionState.CLOSED, self.gone
        self._tell()
        if self in self.group:
            self.group.remove(self)

    def _tell(self) -> None:
        """The state is new: also to those whose keys come here, too."""
        for one in {self, *(self.group if self in self.group else ())}:
            one.changed()

    async def _connection(self) -> bool:
        """From the attempt to its end. True: it is worth trying again."""
        assert self.screen is not None
        again = self.state is SessionState.WAITING
        link = self._link = self._make_link()
        lost = again
        try:
            size = self.screen.columns, self.screen.rows
            if again:
                begin_afresh(self.screen)
            await link.open(self._receive, *size)
            if size != (self.screen.columns, self.screen.rows):
                link.resize(self.screen.columns, self.screen.rows)
            self.state, self.why, self.problem = SessionState.OPEN, "", None
            self._outbox.flush()
            self._tell()
            self.why, lost = await link.ended()
        except BoxwrightError as error:
            if link.coming and not again:
                self.why, lost = error.problem.what, True
            elif not again:
                self.problem, self.why = error.problem, error.problem.what
        except OSError as error:
            self.why = str(error) or type(error).__name__
        finally:
            await link.close()
        await self._drained.wait()
        self._outbox.clear()
        return lost

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._outbox.close()
        self._queue.clear()
        self._queued = 0
        TURNS.leave(self)
        self.stop_recording()
        if self in self.group:
            self.group.remove(self)
        if self.screen is not None:
            self.screen.close()
            self.screen = None

    # Recording.

    def record(self, recording: Recording) -> None:
        self.stop_recording()
        self.recording = recording
        self.changed()

    def stop_recording(self) -> Path | None:
        """The file."""
        recording, self.recording = self.recording, None
        if recording is None:
            return None
        recording.close()
        self.changed()
        return recording.path

    # Output of the guest.

    def _receive(self, data: bytes) -> None:
        if self.recording is not None:
            self.recording.output(data)
        self._queue.append(data)
        self._queued += len(data)
        TURNS.arrived(self)
        if self._queued > _AHEAD or (self._queue and not TURNS.serves(self)):
            self._hold(True)
            self._drained.clear()

    def parse(self, seconds: float) -> bool:
        """See :class:`tui.console.turns.Reader`; while output waits, so does the guest."""
        now = time.perf_counter()
        end = now + seconds
        while self.screen is not None and now < end:
            if not self._queue:
                self._hold(False)
            if not self._queue:
                break
            data = self._queue.popleft()
            if len(data) > _PIECE:
                self._queue.appendleft(data[_PIECE:])
                data = data[:_PIECE]
            self._queued -= len(data)
            self.screen.feed(data)
            now = time.perf_counter()
            self.flood.took(len(data), now)
        if self.screen is None:
            return False
        self._answer()
        if self.screen.take_bell():
            self.rang = True
        self._hold(bool(self._queue))
        if not self._queue:
            self._drained.set()
        self.changed()
        return bool(self._queue)

    def _hold(self, hold: bool) -> None:
        if hold is self._paused or self._link is None:
            return
        self._paused = hold
        if hold:
            self._link.pause()
        else:
            self._link.resume()

    def _answer(self) -> None:
        assert self.screen is not None
        replies = self.screen.take_replies()
        if replies:
            self.send(replies)

    # Input for the guest.

    @property
    def audience(self) -> tuple[Session, ...]:
        """All that get the keys that are typed here."""
        return tuple(one for one in self.group if one.connected) if self in self.group else (self,)

    def type(self, keys: Sequence[bytes]) -> None:
        """Keys as the terminal sent them, to all who listen, each in its own words."""
        for session in self.audience:
            session.flood.listen(time.perf_counter())
            session.send(as_told(keys, session.screen))

    def turned_from(self) -> None:
        """Whoever typed, to all who listen, has turned to something else."""
        for session in self.audience:
            session.flood.leave(time.perf_counter())

    def paste(self, text: str) -> None:
        for session in self.audience:
            if session.screen is not None:
                session.send(pasted(text, bracketed=session.screen.modes.bracketed_paste))

    def send(self, data: bytes) -> None:
        """What is typed while it connects is written then; without a connection it is dropped."""
        if self.state not in (SessionState.CLOSED, SessionState.WAITING):
            self._outbox.put(data)

    def fit(self, columns: int, rows: int) -> None:
        """The other side says how large the screen is."""
        self.fixed = True
        if self.screen is not None:
            self.screen.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        if self.fixed or self.screen is None or (columns, rows) == (self.screen.columns, self.screen.rows):
            return
        self.screen.resize(columns, rows)
        if self.recording is not None:
            self.recording.resize(columns, rows)
        self._answer()
        if self._link is not None and self.state is SessionState.OPEN:
            self._link.resize(columns, rows)


def _nobody() -> None:
    pass

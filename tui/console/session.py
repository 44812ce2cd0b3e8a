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
from tui.console.screen import Screen, create
from tui.console.turns import TURNS, Flood

if TYPE_CHECKING:
    from tui.console.recording import Recording

_PIECE = 1 << 14
_AHEAD = 1 << 16
"""Bytes that may wait to be parsed; a guest that has sent more is held back at once."""
_WAITING_INPUT = 1 << 20
_AGAIN = 1.0
"""Seconds between two attempts to reach a guest that has gone away."""
_AFRESH = b"\x18\x1b\\\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004;2026l\x1b[!p\x1b[=0;1u\x1b[m\x1b(B"
"""Ends whatever the guest has left unfinished, and takes back what it had asked for."""
_APPLICATION = {b"\x1b[" + bytes([end]): b"\x1bO" + bytes([end]) for end in b"ABCDHF"}
_FOREIGN = {
    b"\x1b[1~": b"\x1b[H", b"\x1b[7~": b"\x1b[H", b"\x1b[4~": b"\x1b[F", b"\x1b[8~": b"\x1b[F",
    b"\x1b[[A": b"\x1bOP", b"\x1b[[B": b"\x1bOQ", b"\x1b[[C": b"\x1bOR", b"\x1b[[D": b"\x1bOS",
    b"\x1b[[E": b"\x1b[15~",
}  # fmt: skip
"""What tmux, rxvt and the console of Linux send in other words than xterm, which a guest takes us for."""


class SessionState(enum.StrEnum):
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    """The guest has gone away; it is reached again as soon as it is back."""
    CLOSED = "closed"


class Session:
    """``changed`` is called when there is something new to draw or to show on the tab; at most once until
    the one who looks has called ``looked``."""

    def __init__(self, make_link: Callable[[], LineLink], name: str, owner: str = "") -> None:
        self.name = name
        """For the tab, until the guest sets a title."""
        self.owner = owner
        """Name of the machine."""
        self.state = SessionState.CONNECTING
        self.why = ""
        """Why it is closed."""
        self.problem: Problem | None = None
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
        self._writer: asyncio.Task[None] | None = None
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._drained = asyncio.Event()
        self._drained.set()
        self._paused = False
        self._input = bytearray()

    @property
    def title(self) -> str:
        own = self._own_title
        told = self.name if own is None else own
        same = (peer for peer in self.peers() if peer is not self and peer.owner == self.owner)
        twice = own is not None and any(told in (peer.name, peer._own_title) for peer in same)
        return f"{self.name}: {told}" if twice else told

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
            self._begin_afresh()
        self.state, self.why, self.problem = SessionState.CONNECTING, "", None
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
        self.state = SessionState.CLOSED
        self._tell()
        if self in self.group:
            self.group.remove(self)

    def _tell(self) -> None:
        """The state is new: also to those whose keys come here, too."""
        for one in {self, *(self.group if self in self.group else ())}:
            one.changed()

    def _begin_afresh(self) -> None:
        """What is on the screen stays; the next guest writes below it."""
        assert self.screen is not None
        self.screen.feed(_AFRESH + (b"\x1b[?1049l" if self.screen.alternate else b""))
        self.screen.take_replies()
        if self.screen.cursor.x:
            self.screen.feed(b"\r\n")

    async def _connection(self) -> bool:
        """From the attempt to its end. True: it is worth trying again."""
        assert self.screen is not None
        again = self.state is SessionState.WAITING
        link = self._link = self._make_link()
        lost = again
        try:
            size = self.screen.columns, self.screen.rows
            if again:
                self._begin_afresh()
            await link.open(self._receive, *size)
            if size != (self.screen.columns, self.screen.rows):
                link.resize(self.screen.columns, self.screen.rows)
            self.state, self.why, self.problem = SessionState.OPEN, "", None
            self._flush()
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
        self._input.clear()
        return lost

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writer is not None:
            self._writer.cancel()
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
        """Keys as the terminal sent them, to all who listen. Cursor keys are told as each guest asked for."""
        for session in self.audience:
            session.flood.listen(time.perf_counter())
            screen = session.screen
            told = _APPLICATION if screen is not None and screen.modes.application_cursor else {}
            common = [_FOREIGN.get(key, key) for key in keys]
            session.send(b"".join(told.get(key, key) for key in common))

    def paste(self, text: str) -> None:
        for session in self.audience:
            if session.screen is not None:
                session.send(pasted(text, bracketed=session.screen.modes.bracketed_paste))

    def send(self, data: bytes) -> None:
        """Written in order; what is typed while it connects is written then. Dropped where the guest has
        taken nothing for a megabyte."""
        gone = self.state in (SessionState.CLOSED, SessionState.WAITING)
        if gone or len(self._input) > _WAITING_INPUT:
            return
        self._input += data
        self._flush()

    def _flush(self) -> None:
        if self.state is not SessionState.OPEN or not self._input:
            return
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._input and self._link is not None:
            data = bytes(self._input)
            self._input.clear()
            try:
                await self._link.write(data)
            except (OSError, BoxwrightError):
                return

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

"""Plays a recording in a console: what is typed there drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from core.amounts import clock
from tui.console import recording
from tui.console.keystream import Splitter
from tui.console.link import End, Output
from tui.console.recording import Cast

_SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_JUMP = 5.0
_LONGEST_PAUSE = 2.0
"""Seconds: where nothing happened for longer, the recording goes on after that."""
DRIVING = frozenset(
    (b" ", b"+", b"-", b"0", b".", *(b"\x1b[" + end for end in (b"A", b"B", b"C", b"D", b"H", b"F")))
)
"""What is typed there to some effect."""
_AFRESH = "\x18\x1b\\\x1bc\x1b[3J"


class ReplayLink:
    """A link whose other side is a file."""

    def __init__(self, path: Path, resized: Callable[[int, int], None], news: Callable[[], None]) -> None:
        """``resized``: the recording is of another size from here on. ``news``: the caption is new."""
        self._path = path
        self._resized = resized
        self._news = news
        self._cast = Cast(80, 24, "", ())
        self._output: Output = lambda data: None
        self._next = 0
        self._clock = 0.0
        self._speed = 1.0
        self._playing = True
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._turned = asyncio.Event()
        """Something was pressed."""
        self._player: asyncio.Task[None] | None = None

    @property
    def caption(self) -> str:
        cast = self._cast
        state = "playing" if self._playing and self._next < len(cast.events) else "paused"
        if self._next >= len(cast.events):
            state = "at its end"
        return f"{state}  {clock(self._clock)} of {clock(cast.length)}  {self._speed:g}x"

    async def open(self, output: Output, columns: int, rows: int) -> None:
        self._cast = await asyncio.to_thread(recording.read, self._path)
        self._output = output
        self._resized(self._cast.columns, self._cast.rows)
        self._player = asyncio.get_running_loop().create_task(self._play())

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._turned.clear()
            events = self._cast.events
            if not self._playing or self._next >= len(events):
                self._news()
                await self._turned.wait()
                continue
            gap = min(_LONGEST_PAUSE, max(0.0, events[self._next].time - self._clock)) / self._speed
            begin = loop.time()
            if gap > 0:
                try:
                    async with asyncio.timeout(gap):
                        await self._turned.wait()
                except TimeoutError:
                    pass
                else:
                    passed = (loop.time() - begin) * self._speed
                    self._clock = min(self._clock + passed, events[self._next].time)
                    continue
            await self._flowing.wait()
            self._step()

    def _step(self) -> None:
        """The next event, and those that came within the same frame."""
        events = self._cast.events
        end = self._cast.until(events[self._next].time + 0.01 * self._speed)
        self._emit(self._next, max(end, self._next + 1))
        self._news()

    def _emit(self, first: int, end: int) -> None:
        text: list[str] = []
        for event in self._cast.events[first:end]:
            if event.kind == "o":
                text.append(event.data)
                continue
            size = recording.size_of(event.data)
            if size is not None:
                self._output("".join(text).encode("utf-8", "replace"))
                text = []
                self._resized(*size)
        self._output("".join(text).encode("utf-8", "replace"))
        self._next = end
        if end > first:
            self._clock = self._cast.events[end - 1].time

    def _go(self, time: float) -> None:
        """Forwards is played at once; backwards means from the beginning."""
        time = min(max(0.0, time), self._cast.length)
        end = self._cast.until(time)
        if end < self._next:
            self._resized(self._cast.columns, self._cast.rows)
            self._output(_AFRESH.encode())
            self._emit(0, end)
        else:
            self._emit(self._next, end)
        self._clock = time

    async def write(self, data: bytes) -> None:
        """Keys: space, left and right, + and -, full stop, home and end."""
        splitter = Splitter()
        for token in [*splitter.feed(data), *splitter.flush()]:
            for key in [token.data] if token.data.startswith(b"\x1b") else _characters(token.data):
                self._key(key)
        self._turned.set()
        self._news()

    def _key(self, key: bytes) -> None:
        speed = _SPEEDS.index(self._speed)
        match key:
            case b" ":
                self._playing = not self._playing
            case b"+" | b"\x1b[A" | b"\x1bOA":
                self._speed = _SPEEDS[min(speed + 1, len(_SPEEDS) - 1)]
            case b"-" | b"\x1b[B" | b"\x1bOB":
                self._speed = _SPEEDS[max(speed - 1, 0)]
            case b"\x1b[D" | b"\x1bOD":
                self._go(self._clock - _JUMP)
            case b"\x1b[C" | b"\x1bOC":
                self._go(self._clock + _JUMP)
            case b"\x1b[H" | b"\x1bOH" | b"0":
                self._go(0.0)
            case b"\x1b[F" | b"\x1bOF":
                self._go(self._cast.length)
            case b"." if self._next < len(self._cast.events):
                self._playing = False
                self._step()

    def resize(self, columns: int, rows: int) -> None:
        pass  # A recording keeps the size that it was made with.

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def ended(self) -> End:
        assert self._player is not None
        await self._player
        return End("", False)

    @property
    def ready(self) -> bool:
        return True

    @property
    def coming(self) -> bool:
        return False

    @property
    def gone(self) -> bool:
        return False

    async def close(self) -> None:
        if self._player is not None:
            self._player.cancel()


def _characters(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]

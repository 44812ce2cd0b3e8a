"""Logs cut into lines, whatever bytes they hold."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator

import msgspec

from core.model.query import Log

_LONGEST = 65536


class Piece(msgspec.Struct, frozen=True):
    """Output that one step wrote; any number of lines, or a part of one."""

    step: int
    data: bytes
    time: float = 0.0


def pieces(log: Log) -> Iterator[Piece]:
    """A part of an operation's log by the steps that wrote it; step 0 is the operation itself."""
    position = log.offset
    for segment in log.segments:
        if segment.offset > position:
            yield Piece(0, log.data[position - log.offset : segment.offset - log.offset], segment.time)
        first = segment.offset - log.offset
        yield Piece(segment.step, log.data[first : first + segment.length], segment.time)
        position = segment.offset + segment.length
    if position < log.offset + len(log.data):
        yield Piece(0, log.data[position - log.offset :])


class LineCutter:
    """Turns blocks of bytes into lines of text; a line without end is cut into pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes, without their ends."""
        text = self._rest + self._decoder.decode(data)
        *lines, self._rest = text.split("\n")
        if len(self._rest) > _LONGEST:
            lines.append(self._rest)
            self._rest = ""
        return lines

    @property
    def unfinished(self) -> str:
        """What came after the last line's end: a prompt, a progress display."""
        return self._rest

    def flush(self) -> list[str]:
        """What is left at the end."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return [rest] if rest else []


class Tail:
    """The last lines of an output, and how many there were."""

    def __init__(self, keep: int = 12) -> None:
        self._cutter = LineCutter()
        self._lines: deque[str] = deque(maxlen=keep)

    def feed(self, data: bytes) -> list[str]:
        lines = self._cutter.feed(data)
        self._lines.extend(lines)
        return lines

    def last(self, number: int) -> list[str]:
        """Up to ``number`` lines, the unfinished one among them."""
        lines = list(self._lines)
        if self._cutter.unfinished.strip():
            lines.append(self._cutter.unfinished)
        return lines[-number:] if number else []

    def flush(self) -> list[str]:
        lines = self._cutter.flush()
        self._lines.extend(lines)
        return lines

"""A window onto the lines of a log: what is visible from some place on, wrapped or not.

Lines up to ``WHOLE`` bytes are parsed as a whole. Of longer ones only the part in sight is read; there a
byte counts as a column, as nobody can know more without reading everything before it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from rich.style import Style

from tui.log import line as lines
from tui.log import sgr
from tui.log.index import LogIndex
from tui.log.sgr import Sgr

WHOLE = 1 << 16


class Place(NamedTuple):
    """A line of the file, and which of the rows that it is wrapped into."""

    line: int = 0
    row: int = 0


class Visible(msgspec.Struct, frozen=True):
    """One row on the screen."""

    line: int
    text: str
    segments: tuple[tuple[str, Style], ...]


class Window:
    def __init__(self, index: LogIndex) -> None:
        self._index = index

    def rows(
        self,
        place: Place,
        count: int,
        width: int,
        *,
        left: int = 0,
        wrapped: bool = False,
        until: int | None = None,
    ) -> list[Visible]:
        """At most ``count`` rows from ``place`` on. ``left``: columns that are scrolled away; ``until``: the
        line after the last one."""
        found: list[Visible] = []
        number, row = place
        state: Sgr | None = None
        end_line = self._index.lines if until is None else min(until, self._index.lines)
        while len(found) < count and number < end_line:
            start, end = self._index.span(number)
            if end - start > WHOLE:
                found += self._long_rows(number, start, end, row, count - len(found), width, left, wrapped)
                state = None
            else:
                if state is None:
                    state = self._index.state_at(start)
                runs, state = lines.runs(self._index.read(start, end - start), state)
                found += _short_rows(number, runs, row, count - len(found), width, left, wrapped)
            number, row = number + 1, 0
        return found

    def height(self, number: int, width: int, *, wrapped: bool) -> int:
        """Rows that a line takes."""
        if not wrapped:
            return 1
        start, end = self._index.span(number)
        if end - start > WHOLE:
            return -(-(end - start) // width)
        if end - start <= width:
            return 1
        runs, _ = lines.runs(self._index.read(start, end - start), sgr.PLAIN)
        return max(1, -(-lines.width_of(runs) // width))

    def _long_rows(
        self, number: int, start: int, end: int, row: int, count: int, width: int, left: int, wrapped: bool
    ) -> list[Visible]:
        found: list[Visible] = []
        offset = start + (row * width if wrapped else left)
        for _ in range(count if wrapped else 1):
            if offset >= end and found:
                break
            # Room for colours and for characters of several bytes beside the columns.
            begin = max(start, offset - 64)
            data = self._index.read(begin, min(end - begin, (offset - begin) + width * 6 + 64))
            skipped = _whole_from(data, offset - begin)
            runs, _ = lines.runs(data[skipped:].replace(b"\r", b" "), self._index.state_at(begin + skipped))
            found.append(_visible(number, lines.columns(runs, 0, width)))
            offset += width
        return found


def _short_rows(
    number: int, runs: list[lines.Run], row: int, count: int, width: int, left: int, wrapped: bool
) -> list[Visible]:
    if not wrapped:
        return [_visible(number, lines.columns(runs, left, width) if runs else [])]
    height = max(1, -(-lines.width_of(runs) // width))
    return [
        _visible(number, lines.columns(runs, at * width, width))
        for at in range(row, min(height, row + count))
    ]


def _visible(number: int, runs: list[lines.Run]) -> Visible:
    return Visible(number, lines.text_of(runs), tuple((text, sgr.style(state)) for text, state in runs))


def _whole_from(data: bytes, at: int) -> int:
    """The first place from ``at`` on that is neither within a character nor within a control sequence."""
    escape = data.rfind(b"\x1b", 0, at)
    if escape >= 0:
        closed = sgr.SEQUENCES.match(data, escape)
        if closed and closed.end() > at:
            at = closed.end()
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at

"""Parts of a history: what is selected, and where a text is found. Places are cells, as on the screen."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size

from tui.console.screen import History

_WORD = re.compile(r"""[^\s"'`()<>\[\]{}|;,]+""")


class Place(NamedTuple):
    """Compares as one reads."""

    row: int
    x: int


class Match(NamedTuple):
    """From the first cell to behind the last one."""

    start: Place
    end: Place


def text_between(history: History, first: Place, last: Place, *, lines: bool = False) -> str:
    """Both ends included; ``lines``: whole rows. Rows that were wrapped come as one line; what is blank at
    the end of a line is left out."""
    out: list[str] = []
    for row in range(max(0, first.row), min(last.row, len(history.rows) - 1) + 1):
        text = history.rows[row]
        start = first.x if row == first.row and not lines else 0
        end = last.x + 1 if row == last.row and not lines else None
        text = text[_index(text, start) : None if end is None else _index(text, end)]
        goes_on = row in history.goes_on and row < last.row
        out.append(text if goes_on else text.rstrip() + "\n")
    return "".join(out).removesuffix("\n")


def word_at(text: str, x: int) -> tuple[int, int]:
    """First and last cell of the word there; of the cell alone where there is none."""
    index = _index(text, x)
    for found in _WORD.finditer(text):
        if found.start() <= index < found.end():
            start = cell_len(text[: found.start()])
            return start, start + cell_len(found.group()) - 1
    return x, x


def find(history: History, wanted: str) -> list[Match]:
    """Every place of a text, also over the end of wrapped rows. Capital letters count when it has some."""
    pattern = re.compile(re.escape(wanted), 0 if wanted != wanted.lower() else re.IGNORECASE)
    found: list[Match] = []
    row = 0
    while row < len(history.rows):
        last = row
        while last in history.goes_on and last + 1 < len(history.rows):
            last += 1
        pieces = history.rows[row : last + 1]
        line = "".join(pieces) if last > row else pieces[0]
        matches = list(pattern.finditer(line))
        if matches:
            starts = [0, *accumulate(map(len, pieces))][:-1]
            for match in matches:
                start = _place(pieces, starts, match.start(), row)
                end = _place(pieces, starts, match.end() - 1, row)
                size = get_character_cell_size(line[match.end() - 1])
                found.append(Match(start, Place(end.row, end.x + max(1, size))))
        row = last + 1
    return found


def _place(pieces: tuple[str, ...], starts: list[int], index: int, row: int) -> Place:
    """Of a character of a line that is wrapped into pieces."""
    piece = bisect_right(starts, index) - 1
    return Place(row + piece, cell_len(pieces[piece][: index - starts[piece]]))


def _index(text: str, x: int) -> int:
    """The character at a cell; the number of characters where the text is shorter."""
    if text.isascii():
        return min(x, len(text))
    at = 0
    for index, character in enumerate(text):
        at += get_character_cell_size(character)
        if at > x:
            return index
    return len(text)

"""One line of output as a terminal would show it in the end: pure, and bounded in work."""

from __future__ import annotations

import re

from rich.cells import cell_len, get_character_cell_size

from tui.log.sgr import Sgr, apply

Run = tuple[str, Sgr]
"""Text without control characters, and its colours."""

_TOKENS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)"  # DCS and the like
    r"|\x1b(?:\[[0-?]*[ -/]*)?$"  # cut off by the end of the line
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x1f\x7f-\x9f]"
)
_MOVING = re.compile(r"[\r\x08\t]|\x1b\[[0-9;]*[A-Zac-ln-z]")
_TAB = 8
_MOST_COLUMNS = 1 << 16


def runs(data: bytes, state: Sgr) -> tuple[list[Run], Sgr]:
    """What is to be seen of a line, and the colours in force after it. Never raises.

    A carriage return writes over what is there, as progress bars want it; erasing and moving within
    the line are followed; every other control is left out.
    """
    text = data.decode("utf-8", "replace").rstrip("\r")
    if text.isprintable():
        return ([(text, state)] if text else []), state
    return _overwritten(text, state) if _MOVING.search(text) else _plain(text, state)


def _plain(text: str, state: Sgr) -> tuple[list[Run], Sgr]:
    """Without movement, only colours change."""
    found: list[Run] = []
    at = 0
    for token in _TOKENS.finditer(text):
        if token.start() > at:
            found.append((text[at : token.start()], state))
        at = token.end()
        state = _coloured(token[0], state)
    if at < len(text):
        found.append((text[at:], state))
    return found, state


def _coloured(token: str, state: Sgr) -> Sgr:
    if token.startswith("\x1b[") and token.endswith("m"):
        parameters = token[2:-1]
        if all(character in "0123456789;:" for character in parameters):
            return apply(state, parameters)
    return state


class _Row:
    """The cells of a line while it is written over."""

    def __init__(self) -> None:
        self.cells: list[Run] = []
        self.at = 0

    def write(self, text: str, state: Sgr) -> None:
        for character in text:
            width = get_character_cell_size(character)
            if not width:
                if 0 < self.at <= len(self.cells):
                    before, old = self.cells[self.at - 1]
                    self.cells[self.at - 1] = before + character, old
                continue
            self.fill()
            self.cells[self.at : self.at + width] = [(character, state)] + [("", state)] * (width - 1)
            self.at += width

    def fill(self) -> None:
        if self.at > len(self.cells):
            self.cells += [(" ", Sgr())] * (self.at - len(self.cells))

    def move(self, column: int) -> None:
        self.at = max(0, min(column, _MOST_COLUMNS))

    def erase(self, how: str) -> None:
        if how in ("", "0"):
            del self.cells[self.at :]
        elif how == "1":
            count = min(self.at + 1, len(self.cells))
            self.cells[:count] = [(" ", Sgr())] * count
        elif how == "2":
            self.cells.clear()

    def runs(self) -> list[Run]:
        found: list[Run] = []
        for text, state in self.cells:
            if found and found[-1][1] == state:
                found[-1] = found[-1][0] + text, state
            else:
                found.append((text, state))
        return found


def _overwritten(text: str, state: Sgr) -> tuple[list[Run], Sgr]:
    row = _Row()
    at = 0
    for token in _TOKENS.finditer(text):
        if token.start() > at:
            row.write(text[at : token.start()], state)
        at = token.end()
        control = token[0]
        if control == "\r":
            row.move(0)
        elif control == "\b":
            row.move(row.at - 1)
        elif control == "\t":
            row.move((row.at // _TAB + 1) * _TAB)
            row.fill()
        elif control.startswith("\x1b["):
            state = _moved(row, control, state)
    if at < len(text):
        row.write(text[at:], state)
    return row.runs(), state


def _moved(row: _Row, control: str, state: Sgr) -> Sgr:
    parameters, final = control[2:-1], control[-1]
    if final == "m":
        return _coloured(control, state)
    if final == "K":
        row.erase(parameters)
    elif final in "CDG" and (not parameters or parameters.isdigit()) and len(parameters) < 6:
        count = max(1, int(parameters or 1))
        row.move({"C": row.at + count, "D": row.at - count, "G": count - 1}[final])
    return state


def columns(found: list[Run], start: int, width: int) -> list[Run]:
    """The part of a line from column ``start`` on, ``width`` columns wide. Half of a wide character is
    a blank."""
    out: list[Run] = []
    at = 0
    end = start + width
    for text, state in found:
        if at >= end:
            break
        size = cell_len(text)
        if at + size > start:
            out.append((_slice(text, size, max(0, start - at), min(size, end - at)), state))
        at += size
    return out


def _slice(text: str, size: int, start: int, end: int) -> str:
    if size == len(text):
        return text[start:end]
    out = []
    at = 0
    for character in text:
        width = get_character_cell_size(character)
        if at >= start and at + width <= end:
            out.append(character)
        elif at < end and at + width > start:
            out.append(" " * (min(at + width, end) - max(at, start)))
        at += width
        if at >= end and width:
            break
    return "".join(out)


def width_of(found: list[Run]) -> int:
    return sum(cell_len(text) for text, _ in found)


def text_of(found: list[Run]) -> str:
    return "".join(text for text, _ in found)

"""Text as a terminal counts it: cells, escape sequences, clipping."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(
    r"\x1b\[(?P<arguments>[0-?]*)[ -/]*(?P<final>[@-~])"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC, DCS and other strings
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
RESET = "\x1b[0m"
TAB = 8
LONGEST = 8192
"""Characters of one line that are looked at; nothing longer fits on a screen."""


def clean(text: str, *, colours: bool = False) -> str:
    """``text`` without what moves a cursor, rings a bell or hides text; with ``colours``, those stay.

    Of a line that overwrote itself with carriage returns the last state is kept. What a guest
    writes is foreign input: only this reaches the user's terminal.
    """
    text = _last_state(text.rstrip("\r\n").replace("\n", " "))
    if not colours and text.isascii() and text.isprintable():
        return text

    def keep(found: re.Match[str]) -> str:
        return found.group() if colours and _COLOUR.fullmatch(found.group()) else ""

    text = _CONTROLS.sub("", _ESCAPES.sub(keep, text))
    return expand_tabs(text) if "\t" in text else text


def _last_state(line: str) -> str:
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


def expand_tabs(text: str) -> str:
    """Tabs as spaces up to the next multiple of eight cells."""
    out: list[str] = []
    column = 0
    for piece in re.split(r"(\t)", text):
        if piece == "\t":
            piece = " " * (TAB - column % TAB)
        out.append(piece)
        column += width(piece)
    return "".join(out)


def strip(text: str) -> str:
    """``text`` without colours."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def width(text: str) -> int:
    """Cells that ``text`` takes; colours take none."""
    text = strip(text)
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def clip(text: str, cells: int, *, more: str = "…") -> str:
    """``text`` cut to at most ``cells``, with ``more`` at the end where something was cut."""
    if cells <= 0:
        return ""
    if len(text) <= cells and text.isascii():
        return text
    if width(text) <= cells:
        return text
    room = cells - width(more)
    if room < 0:
        return more[:cells] if more.isascii() else ""
    out: list[str] = []
    coloured = False
    position = used = 0
    while position < len(text):
        escape = _COLOUR.match(text, position)
        if escape:
            out.append(escape.group())
            coloured = True
            position = escape.end()
            continue
        taken = _cell(text[position])
        if used + taken > room:
            break
        out.append(text[position])
        used += taken
        position += 1
    return "".join(out) + (RESET if coloured else "") + more


def wrap(text: str, cells: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """``text`` in lines of less than ``cells`` cells, broken between words; a longer word stays whole,
    so that it can be copied. ``hanging`` begins the lines after the first. 0: one line."""
    if cells <= 0 or width(indent + text) < cells:
        return [indent + text]
    first, *rest = text.split(" ")
    lines = [indent + first]
    for word in rest:
        if width(f"{lines[-1]} {word}") < cells:
            lines[-1] += f" {word}"
        else:
            lines.append((indent if hanging is None else hanging) + word)
    return lines


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """``text`` with spaces up to ``cells``; on its left with ``right``."""
    space = " " * max(0, cells - width(text))
    return space + text if right else text + space

"""Colours and attributes as programs write them (SGR), as small immutable values."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rich.color import Color
from rich.style import Style

BOLD, DIM, ITALIC, UNDERLINE, REVERSE, STRIKE, CONCEAL = (1 << number for number in range(7))

_ON = {1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 7: REVERSE, 8: CONCEAL, 9: STRIKE, 21: UNDERLINE}
_OFF = {22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 27: REVERSE, 28: CONCEAL, 29: STRIKE}

Rgb = tuple[int, int, int]


class Sgr(NamedTuple):
    """Colours: None for the default, a number of the palette, or red, green, blue."""

    fg: int | Rgb | None = None
    bg: int | Rgb | None = None
    attributes: int = 0


PLAIN = Sgr()

SEQUENCES = re.compile(rb"\x1b\[([0-9;:]*)m")
_RESETS = (b"\x1b[0m", b"\x1b[m")


@lru_cache(maxsize=2048)
def apply(state: Sgr, parameters: str) -> Sgr:
    """The state after ``ESC [ parameters m``. What makes no sense is left out."""
    numbers = [_numbers(part) for part in parameters.split(";")]
    fg, bg, attributes = state
    at = 0
    while at < len(numbers):
        part = numbers[at]
        code = part[0]
        if code in (38, 48):
            colour, used = _colour(part, numbers[at:])
            at += used
            if colour is not None:
                fg, bg = (colour, bg) if code == 38 else (fg, colour)
            continue
        at += 1
        if code == 0:
            fg, bg, attributes = PLAIN
        elif code == 4 and len(part) > 1:
            attributes = attributes | UNDERLINE if part[1] else attributes & ~UNDERLINE
        elif code in _ON:
            attributes |= _ON[code]
        elif code in _OFF:
            attributes &= ~_OFF[code]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            fg = code - 30 if code < 90 else code - 82
        elif 40 <= code <= 47 or 100 <= code <= 107:
            bg = code - 40 if code < 100 else code - 92
        elif code == 39:
            fg = None
        elif code == 49:
            bg = None
    return Sgr(fg, bg, attributes)


def fold(state: Sgr, data: bytes) -> Sgr:
    """The state after everything in ``data``. Cheap: only what follows the last reset is looked at."""
    if b"\x1b" not in data:
        return state
    last = max(data.rfind(reset) for reset in _RESETS)
    if last >= 0:
        state = PLAIN
        data = data[last:]
    for found in SEQUENCES.finditer(data):
        state = apply(state, found[1].decode("ascii"))
    return state


@lru_cache(maxsize=4096)
def style(state: Sgr) -> Style:
    """The same as a style of Rich; the default colours are left open."""
    fg, bg, attributes = state
    return Style(
        color=_rich(fg),
        bgcolor=_rich(bg),
        bold=bool(attributes & BOLD) or None,
        dim=bool(attributes & DIM) or None,
        italic=bool(attributes & ITALIC) or None,
        underline=bool(attributes & UNDERLINE) or None,
        reverse=bool(attributes & REVERSE) or None,
        strike=bool(attributes & STRIKE) or None,
        conceal=bool(attributes & CONCEAL) or None,
    )


def _rich(colour: int | Rgb | None) -> Color | None:
    if colour is None:
        return None
    return Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)


def _numbers(text: str) -> list[int]:
    """Of ``4`` or ``38:2::1:2:3``: parts that are empty count as 0, absurd ones as -1."""
    return [int(part) if 0 < len(part) < 6 else -bool(part) for part in text.split(":")]


def _colour(part: list[int], rest: list[list[int]]) -> tuple[int | Rgb | None, int]:
    """A colour given as ``38;5;n``, ``38;2;r;g;b`` or with colons, and how many parts it took."""
    if len(part) > 1:
        numbers, used = part[1:], 1
        if numbers[0] == 2 and len(numbers) > 4:
            numbers = [2, *numbers[-3:]]
    else:
        kind = rest[1][0] if len(rest) > 1 else -1
        used = {5: 3, 2: 5}.get(kind, 1)
        numbers = [item[0] for item in rest[1:used]]
    if len(numbers) >= 2 and numbers[0] == 5:
        return (numbers[1], used) if 0 <= numbers[1] <= 255 else (None, used)
    if len(numbers) >= 4 and numbers[0] == 2:
        red, green, blue = numbers[1:4]
        if all(0 <= value <= 255 for value in (red, green, blue)):
            return (red, green, blue), used
    return None, used

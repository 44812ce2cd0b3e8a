"""A picture of a machine's screen as lines of a terminal, whatever that can show: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.terminal import Terminal

if TYPE_CHECKING:
    from core.builds.qemu.picture import Colour

    Cell = tuple[Colour, Colour]
    """The upper half of a cell of the terminal and the lower one."""

_RAMP = " .:-=+*#%@"
_HALVES = " ▄▀█"
"""By which halves are bright: none, the lower one, the upper one, both."""
_BRIGHT = 80


def line(row: Sequence[Cell], terminal: Terminal) -> Strip:
    """Cells that look alike are one segment."""
    segments: list[Segment] = []
    text, style = "", Style.null()
    for cell in row:
        letter, next_style = _drawn(cell, terminal)
        if text and next_style != style:
            segments.append(Segment(text, style))
            text = ""
        text, style = text + letter, next_style
    if text:
        segments.append(Segment(text, style))
    return Strip(segments, len(row))


def _drawn(cell: Cell, terminal: Terminal) -> tuple[str, Style]:
    upper, lower = cell
    if terminal.colours and terminal.unicode:
        return "▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
    mean = (_light(upper) + _light(lower)) / 2
    if terminal.colours:
        red, green, blue = ((one + other) // 2 for one, other in zip(upper, lower, strict=True))
        return " ", Style(bgcolor=Color.from_rgb(red, green, blue))
    if terminal.unicode:
        return _HALVES[2 * (_light(upper) > _BRIGHT) + (_light(lower) > _BRIGHT)], Style.null()
    return _RAMP[min(len(_RAMP) - 1, int(mean * len(_RAMP) / 256))], Style.null()


def _light(colour: Colour) -> float:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue

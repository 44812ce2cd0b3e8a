"""Rows of a terminal as strips of Textual."""

from __future__ import annotations

import re
from urllib.parse import quote

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.console.lookback import Lookback
from tui.console.screen import Shown
from tui.log import sgr
from tui.look.look import Look

_ADDRESS = re.compile(r"(?:https?|ftp|mailto|ssh):", re.IGNORECASE)
_LONGEST = 2048


def plain(address: str) -> str:
    """Without anything that means something to a terminal."""
    return quote(address, safe="%/:=&?~#+!$,;'@()*[]")


def row(screen: Shown, y: int, width: int, base: Style) -> Strip:
    """One row; hyperlinks are passed on to the terminal."""
    segments = [Segment(text, base + sgr.style(state)) for text, state in screen.row(y)]
    strip = Strip(segments).adjust_cell_length(width, base)
    for link in screen.links(y):
        if len(link.address) <= _LONGEST and _ADDRESS.match(link.address):
            style = Style(link=plain(link.address), underline=True)
            strip = styled(strip, link.start, link.end, style, width)
    return strip


def styled(strip: Strip, start: int, end: int, style: Style, width: int) -> Strip:
    """With some of its cells in another style."""
    end = min(end, width)
    if start >= end:
        return strip
    return Strip.join(
        [strip.crop(0, start), strip.crop(start, end).apply_style(style), strip.crop(end, width)]
    )


def marked(strip: Strip, lookback: Lookback, y: int, width: int, look: Look) -> Strip:
    """With matches of the search, and what is selected."""
    for start, end, current in lookback.found(y):
        style = look.style("!accent" if current else "accent") + Style(reverse=True, underline=current)
        strip = styled(strip, start, end, style, width)
    span = lookback.selected(y)
    if span is not None:
        strip = styled(strip, *span, look.selected("text", focused=True), width)
    return strip

"""A log's lines as they are drawn: to be compared with the ones before, and with matches marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip


class Frame(NamedTuple):
    """All lines as they are shown, and what they depend on besides the content."""

    key: tuple[object, ...]
    strips: list[Strip]

    def differing(self, other: Frame) -> list[int]:
        """Rows of two frames of one size that are not the same."""
        pairs = zip(self.strips, other.strips, strict=True)
        return [y for y, (mine, theirs) in enumerate(pairs) if mine != theirs]


def marked(strip: Strip, marks: Iterable[tuple[int, int]], *, current: bool) -> Strip:
    """``strip`` with the columns of ``marks`` (ascending) reversed, on the ``current`` line bold."""
    style = Style(reverse=True, bold=current)
    parts: list[Strip] = []
    at = 0
    length = strip.cell_length
    for start, end in marks:
        if start >= length:
            break
        parts += [strip.crop(at, start), strip.crop(start, min(end, length)).apply_style(style)]
        at = min(end, length)
    return Strip.join([*parts, strip.crop(at, length)]) if parts else strip

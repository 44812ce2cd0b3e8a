"""Lines of text in roles, made into strips of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Part = tuple[str, str]
"""Text and role. Text holds no control characters: see :func:`clean`."""

_LEAST = 4
"""Cells of a word, with its ellipsis, that say nothing of it."""
_CONTROLS = dict.fromkeys((*range(32), 127, *range(128, 160)), " ")


def clean(text: str) -> str:
    """Foreign text for one line: control characters become blanks."""
    return text.translate(_CONTROLS)


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return ellipsis[:width]
    return set_cell_size(text, width - 1).rstrip() + ellipsis


def cut_details(text: str, width: int, ellipsis: str = "…") -> str:
    """As :func:`cut`; what stands behind a gap of two blanks goes as a whole where only a few letters of it
    would be left."""
    shown = cut(text, width, ellipsis)
    head, gap, rest = shown.rpartition("  ")
    return head.rstrip() if shown != text and gap and cell_len(rest) <= _LEAST else shown


def cut_left(text: str, width: int, ellipsis: str = "…") -> str:
    """As :func:`cut`, but the end of the text stays: for paths."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return ellipsis[:width] + text


def wrap(text: str, width: int) -> list[str]:
    """Text in lines of at most ``width`` cells, broken between words; its own line breaks stay."""
    width = max(1, width)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in clean(paragraph).split(" "):
            if line and cell_len(line) + 1 + cell_len(word) > width:
                lines.append(line)
                line = ""
            line = f"{line} {word}" if line else word
            while cell_len(line) > width:
                head = set_cell_size(line, width)
                lines.append(head)
                line = line[len(head.rstrip()) or 1 :]
        lines.append(line)
    return lines


def strip(parts: Iterable[Part], width: int, style: Callable[[str], Style], fill: Style) -> Strip:
    """Exactly ``width`` cells: what is too long is cut, what is missing is filled."""
    segments: list[Segment] = []
    left = width
    for text, role in parts:
        size = cell_len(text)
        if size > left:
            text, size = set_cell_size(text, left), left
        if size:
            segments.append(Segment(text, style(role)))
            left -= size
        if not left:
            break
    if left:
        segments.append(Segment(" " * left, fill))
    return Strip(segments, width)


def width_of(parts: Iterable[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)


def part_at(parts: Iterable[Part], x: int) -> Part:
    """The one in that cell; an empty one behind the end."""
    end = 0
    for text, role in parts:
        end += cell_len(text)
        if x < end:
            return text, role
    return "", "text"


def spread(left: list[Part], right: list[Part], width: int, ellipsis: str = "…") -> list[Part]:
    """Both ends of a line; where they do not fit the left one is cut by its own last part."""
    gap = width - width_of(left) - width_of(right)
    if gap >= 1:
        return [*left, (" " * gap, "text"), *right]
    room = max(0, width - width_of(right) - 1)
    kept: list[Part] = []
    for text, role in left:
        size = cell_len(text)
        if size > room:
            kept.append((cut(text, room, ellipsis), role))
            room = 0
            break
        kept.append((text, role))
        room -= size
    return [*kept, (" " * max(0, width - width_of(kept) - width_of(right)), "text"), *right]

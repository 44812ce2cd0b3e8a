"""A row and a heading of a list in columns, and what is said of them where the mouse rests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from tui.look.lines import Part, cut_details
from tui.look.signs import Signs
from tui.panes.columns import GAP
from tui.panes.matching import as_written
from tui.panes.ordering import Order


def parts(cells: Sequence[Part], widths: Sequence[int], signs: Signs, mark: str = " ") -> list[Part]:
    out: list[Part] = [(mark, "accent")]
    for number, (text, role) in enumerate(cells):
        width = widths[number] if number < len(widths) else 0
        if not width:
            continue
        text = cut_details(text, width, signs.ellipsis)
        out.append((text + " " * (width - cell_len(text) + _gap(number)), role))
    return out


def heading(header: Sequence[str], widths: Sequence[int], order: Order, signs: Signs) -> list[Part]:
    cells: list[Part] = []
    for number, (text, size) in enumerate(zip(header, widths, strict=False)):
        if number == order.column:
            arrow = signs.down if order.reverse else signs.up
            cells.append((f"{text.upper()[: size - 1]}{arrow}", "accent"))
        else:
            cells.append((text.upper()[:size] if size >= min(3, len(text)) else "", "muted"))
    return cells


def column_at(x: int, widths: Sequence[int]) -> int | None:
    """Number of the column in that cell."""
    start = 1
    for number, width in enumerate(widths):
        if width and start <= x < start + width:
            return number
        start += width + _gap(number) if width else 0
    return None


def whole(cells: Sequence[Part], header: Sequence[str], widths: Sequence[int]) -> str:
    """All that the row says, where something of it is cut off or left out; else ""."""
    shown = [*widths, *[0] * len(cells)][: len(cells)]
    if all(cell_len(text) <= width for (text, _), width in zip(cells, shown, strict=True)):
        return ""
    named = zip([*header, *[""] * len(cells)], cells, strict=False)
    told = [f"{name}: {text}" if name else text for name, (text, _) in list(named)[1:] if text.strip()]
    return "\n".join(told)


def about(header: Sequence[str], told: Mapping[str, str], number: int | None) -> str:
    """What is in the column with that number."""
    return told.get(header[number], "") if number is not None and number < len(header) else ""


def _gap(number: int) -> int:
    """The sign of the state stands close to the name."""
    return 1 if number == 0 else GAP


def nothing_matches(pattern: str) -> list[Part]:
    """In place of the rows, where the filter lets none through."""
    text = as_written(pattern)
    what = f"nothing has {text} in it, which is no regular expression" if text else "nothing matches"
    return [(f" {what}   ", "muted"), ("esc", "!accent"), (" shows all", "muted")]

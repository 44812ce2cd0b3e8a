"""Tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.cli import cells
from core.cli.look import Look


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    look: Look,
    *,
    width: int = 0,
    right: Sequence[int] = (),
    wrapped: bool = False,
) -> list[str]:
    """Lines of a table with aligned columns; ``right`` names the columns that are aligned right.

    With ``width`` (a terminal's) the widest columns give way until the lines fit; ``wrapped``: what does not
    fit into the last one goes on below.
    """
    if not rows:
        return []
    heads = [look.paint(head, "bold") for head in heads]
    widths = [
        max(cells.width(row[column]) for row in (heads, *rows)) if heads else 0
        for column in range(len(heads))
    ]
    if width:
        widths = _squeeze(widths, width - 1 - 2 * (len(widths) - 1))
    lines = []
    for row in _with_rests((heads, *rows), widths[-1]) if wrapped else (heads, *rows):
        fields = [
            cells.pad(cells.clip(text, size, more=look.more), size, right=column in right)
            for column, (text, size) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(fields).rstrip())
    return lines


def _with_rests(rows: Iterable[Sequence[str]], room: int) -> Iterable[Sequence[str]]:
    for *before, last in rows:
        first, *rests = cells.wrap(last, room + 1)
        yield [*before, first]
        for rest in rests:
            yield [*([""] * len(before)), rest]


def _squeeze(widths: list[int], room: int, least: int = 6) -> list[int]:
    widths = list(widths)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda column: widths[column])
        if widths[widest] <= least:
            break
        widths[widest] -= 1
    return widths

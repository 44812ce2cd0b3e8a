"""Textual's picture of a screen (SVG), cut down to what shows: small enough to keep, the same every time.

Left out are fonts from the network, ids, clip paths and the window's frame; a style is said once, a row of
the screen is one line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import msgspec
from rich.cells import cell_len

_SPACE = "{http://www.w3.org/2000/svg}"
_RULE = re.compile(r"-(r\d+) \{ (.*?) \}")
_WIDE, _HIGH = 12.2, 24.4
"""A cell of Textual's picture. In ours it is ten by twenty."""
_FONT = "font:16.6px 'DejaVu Sans Mono',monospace"


class _Run(msgspec.Struct):
    """Text of one style."""

    row: int
    column: int
    style: str
    text: str


def compact(svg: str, columns: int, rows: int) -> str:
    """The picture of a screen of that size."""
    root = ElementTree.fromstring(svg)
    runs = _runs(root)
    names = {style: chr(97 + at) for at, style in enumerate(sorted({run.style for run in runs}))}
    style = "".join(f".{name}{{{style}}}" for style, name in names.items())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * 10} {rows * 20}" '
        'xml:space="preserve">',
        f"<style>text{{{_FONT}}}{style}</style>",
        *_backgrounds(root, columns * rows),
        *(_row(row, list(found), names) for row, found in groupby(runs, lambda run: run.row)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _parts(root: ElementTree.Element, tag: str, having: str) -> Iterator[ElementTree.Element]:
    return (node for node in root.iter(f"{_SPACE}{tag}") if node.get(having) is not None)


def _runs(root: ElementTree.Element) -> list[_Run]:
    rules = dict(_RULE.findall("".join(node.text or "" for node in root.iter(f"{_SPACE}style"))))
    runs: list[_Run] = []
    for node in _parts(root, "text", "clip-path"):
        style = rules[node.get("class", "").rpartition("-")[2]].replace(": ", ":").rstrip(";")
        row = round((float(node.get("y", "0")) - 20) / _HIGH)
        column = round(float(node.get("x", "0")) / _WIDE)
        text = (node.text or "").replace("\xa0", " ").rstrip("\n")
        last = runs[-1] if runs else None
        if last and (last.row, last.style) == (row, style) and last.column + cell_len(last.text) == column:
            last.text += text
        else:
            runs.append(_Run(row, column, style, text))
    return [run for run in runs if run.text.strip() or "underline" in run.style]


def _row(row: int, runs: list[_Run], names: dict[str, str]) -> str:
    spans = (
        f'<tspan class="{names[run.style]}" x="{run.column * 10}">{escape(run.text.rstrip())}</tspan>'
        for run in runs
    )
    return f'<text y="{row * 20 + 15}">{"".join(spans)}</text>'


def _backgrounds(root: ElementTree.Element, cells: int) -> list[str]:
    """A colour that most of it has, else the terminal's own, and one path for each of the others."""
    areas: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for node in _parts(root, "rect", "shape-rendering"):
        left, top, wide = (float(node.get(name, "0")) for name in ("x", "y", "width"))
        at = (round((top - 1.5) / _HIGH), round(left / _WIDE), round(wide / _WIDE))
        areas[node.get("fill", "")].append(at)
    common = next(_parts(root, "rect", "stroke")).get("fill", "")
    common = next((fill for fill in areas if sum(at[2] for at in areas[fill]) > cells / 2), common)
    others = sorted((fill, sorted(found)) for fill, found in areas.items() if fill != common)
    return [
        f'<rect width="100%" height="100%" fill="{common}"/>',
        *(f'<path fill="{fill}" d="{_path(found)}"/>' for fill, found in others),
    ]


def _path(areas: list[tuple[int, int, int]]) -> str:
    """Areas of one row: row, column, width. Those that touch are one."""
    joined: list[tuple[int, int, int]] = []
    for row, column, wide in areas:
        if joined and joined[-1][0] == row and sum(joined[-1][1:]) == column:
            column, wide = joined[-1][1], joined[-1][2] + wide
            joined.pop()
        joined.append((row, column, wide))
    return "".join(f"M{column * 10} {row * 20}h{wide * 10}v20h-{wide * 10}z" for row, column, wide in joined)

"""The one layout of HCL2 files: indents of two, ``=`` and comments of neighbouring lines below each other.

It is the layout of ``packer fmt``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import msgspec

from core.templates.hcl.bodies import parse_body
from core.templates.hcl.layout_tokens import Token, tokens
from core.templates.problems import Problems
from core.templates.source import Source

_UNFINISHED = frozenset(
    [
        "(",
        "{",
        "[",
        "=",
        ":",
        ",",
        "?",
        "+",
        "*",
        "/",
        "%",
        "-",
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "&&",
        "||",
        "!",
    ]
)
"""What a minus behind it makes negative."""


class _Line(msgspec.Struct):
    """``lead``, then ``assign`` from ``=`` on, then a comment; the last two where they are aligned."""

    lead: list[Token]
    assign: list[Token]
    comment: list[Token]

    @property
    def all(self) -> list[Token]:
        return [*self.lead, *self.assign, *self.comment]


def layout(source: Source) -> str:
    """The same file, laid out. Raises TemplateError where it cannot be parsed."""
    problems = Problems()
    parse_body(source, problems)
    problems.check()
    lines = _lines(tokens(source))
    _indent(lines)
    for line in lines:
        _space(line)
    _align(lines)
    return "\n".join(_written(line) for line in lines)


def _written(line: _Line) -> str:
    return "".join(" " * token.spaces + token.written for token in line.all)


def _lines(found: list[Token]) -> list[_Line]:
    rows: list[list[Token]] = [[]]
    for token in found:
        if token.kind == "line":
            rows.append([])
        else:
            rows[-1].append(token)
    return [_cells(row) for row in rows]


def _cells(row: list[Token]) -> _Line:
    comment: list[Token] = []
    if len(row) > 1 and row[-1].kind == "comment":
        comment = [row.pop()]
    for place, token in enumerate(row):
        if place and token.kind == "sign" and token.text == "=":
            # What goes on in the next line is not aligned.
            if sum(one.depth for one in row[place:]) == 0:
                return _Line(row[:place], row[place:], comment)
            break
    return _Line(row, [], comment)


def _indent(lines: list[_Line]) -> None:
    """Two spaces for each line above that left brackets open, however many."""
    open_brackets: list[int] = []
    for line in lines:
        if not line.lead:
            continue
        change = sum(token.depth for token in (*line.lead, *line.assign))
        if change > 0:
            line.lead[0].spaces = 2 * len(open_brackets)
            open_brackets.append(change)
            continue
        closed = -change
        while closed > 0 and open_brackets:
            taken = min(closed, open_brackets[-1])
            closed -= taken
            open_brackets[-1] -= taken
            if not open_brackets[-1]:
                open_brackets.pop()
        line.lead[0].spaces = 2 * len(open_brackets)


def _space(line: _Line) -> None:
    row = line.all
    for place in range(1, len(row)):
        before = row[place - 2] if place > 1 else None
        row[place].spaces = int(_apart(before, row[place - 1], row[place]))


def _apart(before: Token | None, one: Token, other: Token) -> bool:
    """A space stands between ``one`` and ``other``."""
    if one.kind == "word" and other.text == "(" and other.kind == "sign":
        return False
    if "." in (_sign(one), _sign(other)) or _sign(other) in (",", "..."):
        return False
    if _sign(one) == ",":
        return True
    if one.kind in ("open-quote", "text") or other.kind in ("text", "close-quote"):
        return False
    if one.kind == "word" and one.text == "in" and before is not None and before.kind == "word":
        return True
    if _sign(other) == "[" and (one.kind in ("word", "number") or one.depth < 0):
        return False
    if _sign(one) == "!":
        return False
    if _sign(one) == "-":
        return before is not None and _sign(before) not in _UNFINISHED
    if _sign(one) == "{" or _sign(other) == "}":
        return (_sign(one), _sign(other)) != ("{", "}")
    return _brackets_apart(one, other)


def _brackets_apart(one: Token, other: Token) -> bool:
    if _sign(one)[:2] in ("${", "%{"):
        return _sign(other) == "{"
    if _sign(one) in ("$}", "$~}") and _sign(other)[:2] in ("${", "%{"):
        return False
    if _sign(other) in ("$}", "$~}"):
        return _sign(one) == "}"
    return one.depth <= 0 and other.depth >= 0


def _sign(token: Token) -> str:
    return token.text if token.kind == "sign" else ""


def _width(row: list[Token]) -> int:
    from unicodedata import combining

    return sum(token.spaces + sum(not combining(sign) for sign in token.written) for token in row)


def _align(lines: list[_Line]) -> None:
    for neighbours in _runs(lines, lambda line: bool(line.assign)):
        widest = max(_width(line.lead) for line in neighbours)
        for line in neighbours:
            line.assign[0].spaces = widest - _width(line.lead) + 1
    for neighbours in _runs(lines, lambda line: bool(line.comment)):
        widest = max(_width([*line.lead, *line.assign]) for line in neighbours)
        for line in neighbours:
            line.comment[0].spaces = widest - _width([*line.lead, *line.assign]) + 1


def _runs(lines: list[_Line], wanted: Callable[[_Line], bool]) -> list[list[_Line]]:
    return [list(group) for found, group in groupby(lines, key=wanted) if found]

"""The text of a template, and places in it."""

from __future__ import annotations

import bisect

from core.model.problem import Place

LARGEST = 16 * 1024 * 1024
"""Characters; a larger file is not a template."""


class Source:
    """A text with the file it came from; knows the line and column of every offset.

    ``origin`` is where the text stands in another source: a string in a JSON file. ``shift`` says that
    offsets can be carried over one to one, ``shift`` characters behind the origin's start; with None
    everything is reported at the origin.
    """

    __slots__ = ("_lines", "file", "origin", "shift", "text")

    def __init__(self, file: str, text: str, *, origin: Span | None = None, shift: int | None = None) -> None:
        self.file = file
        self.text = text
        self.origin = origin
        self.shift = shift
        self._lines: list[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        if self._lines is None:
            self._lines = [0]
            find = self.text.find
            place = find("\n")
            while place >= 0:
                self._lines.append(place + 1)
                place = find("\n", place + 1)
        line = bisect.bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        self.position(0)
        assert self._lines is not None
        start = self._lines[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


class Span:
    """A piece of a source, ``start`` to ``end`` (exclusive)."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    def __repr__(self) -> str:
        return f"Span({self.place}, {self.text!r})"

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> Place:
        """File, line, column and the piece's first line."""
        origin = self.source.origin
        if origin is not None:
            if self.source.shift is None:
                return origin.place
            start = origin.start + self.source.shift
            return Span(origin.source, start + self.start, start + self.end).place
        line, column = self.source.position(self.start)
        text = self.text.split("\n", 1)[0].rstrip("\r") or self.source.line(line)[column - 1 : column]
        return Place(file=self.source.file, line=line, column=column, text=text[:200])

    def to(self, other: Span) -> Span:
        """From the start of this piece to the end of another."""
        return Span(self.source, self.start, other.end)

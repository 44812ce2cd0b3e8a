"""A log in sections, one for each step that wrote: which row is which line, and what is folded away.

Rows are counted over everything that is shown: the headings of sections, and the lines of those that are
open. Several files are shown as one, their sections in the order of time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from tui.log.source import Source


class Section(msgspec.Struct, frozen=True):
    """Lines of one file that one step wrote in one go. ``end`` is the line after the last one."""

    source: int
    step: int
    first: int
    end: int
    time: float
    goes_on: bool = False
    """The step has written before, and another one in between."""

    @property
    def key(self) -> tuple[int, int]:
        """Stays the same while the file grows."""
        return self.source, self.first


class Script:
    def __init__(self, sources: Sequence[Source] = ()) -> None:
        self.sources = tuple(sources)
        self._sections: list[Section] = []
        self._starts: list[int] = []
        self._rows = 0
        self._folded: set[tuple[int, int]] = set()
        self._seen: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        """Lines of all files, folded away or not."""
        return sum(source.index.lines for source in self.sources)

    @property
    def rows(self) -> int:
        return self._rows

    @property
    def sections(self) -> Sequence[Section]:
        return self._sections

    def arrange(self) -> None:
        """Take notice of what the files have become."""
        placed = [source.place() for source in self.sources]
        seen = tuple(source.index.lines for source in self.sources)
        if seen != self._seen or any(placed):
            self._seen = seen
            self._sections = list(_joined(self._stretches()))
            self._count()

    def _stretches(self) -> list[Section]:
        found = [
            Section(number, step, first, end, time)
            for number, source in enumerate(self.sources)
            for step, first, end, time in source.stretches()
        ]
        if len(self.sources) > 1:
            found.sort(key=lambda section: (section.time, section.source, section.first))
        return found

    def _count(self) -> None:
        self._starts, rows = [], 0
        for section in self._sections:
            self._starts.append(rows)
            rows += headed(section) + (0 if self.is_folded(section) else section.end - section.first)
        self._rows = rows

    # Rows.

    def at(self, row: int) -> tuple[Section, int]:
        """The section that a row belongs to, and its line; -1 for the heading."""
        number = max(0, bisect_right(self._starts, row) - 1)
        section = self._sections[number]
        return section, section.first + row - self._starts[number] - headed(section) if (
            row > self._starts[number] or not headed(section)
        ) else -1

    def row_of(self, source: int, line: int) -> int:
        """Where a line is; where it is folded away, its heading."""
        for number, section in enumerate(self._sections):
            if section.source == source and section.first <= line < section.end:
                inside = 0 if self.is_folded(section) else headed(section) + line - section.first
                return self._starts[number] + inside
        return 0

    def heading(self, row: int, way: int) -> int | None:
        """The nearest heading below (or above) a row."""
        rows = [start for start, section in zip(self._starts, self._sections, strict=True) if headed(section)]
        ahead = [start for start in rows if (start - row) * way > 0]
        return (ahead[0] if way > 0 else ahead[-1]) if ahead else None

    # Folding.

    def is_folded(self, section: Section) -> bool:
        return section.key in self._folded

    def fold(self, section: Section) -> None:
        """Put its lines away, or show them again."""
        if headed(section):
            self._folded ^= {section.key}
            self._count()

    def fold_all(self) -> None:
        """Put all away but the headings; where that is so already, show everything again."""
        keys = {section.key for section in self._sections if headed(section)}
        self._folded = set() if keys <= self._folded else keys
        self._count()

    def unfold(self, source: int, line: int) -> None:
        """Show the section with that line."""
        for section in self._sections:
            if section.source == source and section.first <= line < section.end:
                if self.is_folded(section):
                    self.fold(section)
                return


def headed(section: Section) -> int:
    """Rows that its heading takes."""
    return 1 if section.step else 0


def _joined(stretches: Sequence[Section]) -> Iterator[Section]:
    """Stretches of one step that follow one another are one section."""
    before: Section | None = None
    met: set[tuple[int, int]] = set()
    for stretch in stretches:
        writer = stretch.source, stretch.step
        if before is not None and (before.source, before.step) == writer and before.end == stretch.first:
            before = msgspec.structs.replace(before, end=stretch.end)
            continue
        if before is not None:
            yield before
        before = msgspec.structs.replace(stretch, goes_on=writer in met)
        met.add(writer)
    if before is not None:
        yield before

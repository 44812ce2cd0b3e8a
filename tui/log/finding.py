"""Searching a script: in each of its files, and in the order in which they are shown."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from tui.log.script import Script
from tui.log.search import Search

ERRORS = (
    r"\b(?:error|errors|fatal|failed|failure|exception|traceback|panic|segfault|denied|cannot|unable to)\b"
    r"|^E: |command not found|No such file"
)
"""What lines are taken for that tell of something that went wrong. It looks back at nothing, so that it takes
a time that grows with the line and no faster."""

Found = tuple[int, int]
"""Number of the file, and line."""


class Finding:
    """Marks a text everywhere, or with ``errors`` what looks like one."""

    def __init__(self, script: Script, text: str, *, errors: bool = False) -> None:
        self.title = "errors" if errors else text
        self.errors = errors
        self._script = script
        pattern = re.compile(ERRORS, re.IGNORECASE | re.MULTILINE) if errors else None
        self._searches = [Search(source.index, text, pattern) for source in script.sources]

    @property
    def done(self) -> bool:
        return all(search.done for search in self._searches)

    @property
    def count(self) -> int:
        return sum(len(search.lines) for search in self._searches)

    def step(self) -> bool:
        """Search the next piece of each file. True: there is more to do."""
        return sum(search.step() for search in self._searches) > 0

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Columns of the matches in a line as it is shown."""
        return self._searches[0].marks(text) if self._searches else []

    def after(self, row: int) -> Found | None:
        """The first match below a row, folded away or not; None where there is none (so far)."""
        if not self._script.rows:
            return None
        here, line = self._script.at(row)
        begun = False
        for section in self._script.sections:
            begun = begun or section is here
            if not begun:
                continue
            folded = self._script.is_folded(section)
            start = line if section is here and not folded else section.end if section is here else -1
            lines = self._searches[section.source].lines
            at = bisect_right(lines, max(start, section.first - 1))
            if at < len(lines) and lines[at] < section.end:
                return section.source, lines[at]
        return None

    def before(self, row: int) -> Found | None:
        """The last match above a row."""
        if not self._script.rows:
            return None
        here, line = self._script.at(row)
        begun = False
        for section in reversed(self._script.sections):
            begun = begun or section is here
            if not begun:
                continue
            end = max(section.first, line) if section is here else section.end
            lines = self._searches[section.source].lines
            at = bisect_left(lines, end) - 1
            if at >= 0 and lines[at] >= section.first:
                return section.source, lines[at]
        return None

    def rank(self, found: Found) -> int:
        """How many matches there are up to and including that one."""
        count = 0
        for section in self._script.sections:
            lines = self._searches[section.source].lines
            here = (section.source, section.first) <= found < (section.source, section.end)
            count += bisect_right(lines, found[1] if here else section.end - 1)
            count -= bisect_left(lines, section.first)
            if here:
                break
        return count

    def first(self) -> Found | None:
        """The first match of all; None where there is none (so far)."""
        for section in self._script.sections:
            lines = self._searches[section.source].lines
            at = bisect_left(lines, section.first)
            if at < len(lines) and lines[at] < section.end:
                return section.source, lines[at]
        return None

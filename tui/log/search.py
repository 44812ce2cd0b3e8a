"""Searching a log: over the whole file, a piece at a time, so that nothing waits for it.

The text is searched literally; capital letters count when the text has some. (A regular expression could
take for ever on one line, and nobody could stop it.)
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right

from rich.cells import cell_len

from tui.log.index import LogIndex

PIECE = 1 << 18
_ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


class Search:
    """One search; goes on with ``step`` until it has seen everything, and again when the log has grown."""

    def __init__(self, index: LogIndex, text: str, pattern: re.Pattern[str] | None = None) -> None:
        """``pattern``, one of ours, goes before ``text``."""
        self._index = index
        if pattern is None:
            pattern = re.compile(re.escape(text), 0 if text != text.lower() else re.IGNORECASE)
        self._regex = pattern
        self._bytes = re.compile(pattern.pattern.encode("utf-8", "replace"), pattern.flags & ~re.UNICODE)
        self._offset = 0
        self._line = 0
        self.lines: array[int] = array("Q")
        """Numbers of the lines that match, ascending."""

    @property
    def done(self) -> bool:
        return self._offset >= self._index.size

    def step(self) -> bool:
        """Search the next piece. True: there is more to do."""
        data = self._index.read(self._offset, PIECE)
        if not data:
            return False
        last = self._offset + len(data) >= self._index.size
        if not last:
            # Pieces end with a line, unless one line is longer than a piece.
            end = data.rfind(b"\n")
            data = data[: end + 1] if end >= 0 else data
        self._offset += len(data)
        breaks = data.count(b"\n")
        if b"\x1b" in data:
            data = _ESCAPES.sub(b"", data)
        self._find(data)
        self._line += breaks
        if last and not data.endswith(b"\n"):
            # The unfinished line may still grow: it is searched again.
            self._offset = self._index.span(self._line)[0]
            return False
        return not last

    def _find(self, data: bytes) -> None:
        line, at = self._line, 0
        for found in self._bytes.finditer(data):
            line += data.count(b"\n", at, found.start())
            at = found.start()
            if not self.lines or self.lines[-1] < line:
                self.lines.append(line)

    def after(self, line: int) -> int | None:
        """The first match below ``line``, None where there is none (so far)."""
        at = bisect_right(self.lines, line)
        return self.lines[at] if at < len(self.lines) else None

    def before(self, line: int) -> int | None:
        at = bisect_left(self.lines, line) - 1
        return self.lines[at] if at >= 0 else None

    def rank(self, line: int) -> int:
        """How many matches there are up to and including ``line``."""
        return bisect_right(self.lines, line)

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Columns of the matches in a line as it is shown."""
        return [
            (cell_len(text[: found.start()]), cell_len(text[: found.end()]))
            for found in self._regex.finditer(text)
        ]

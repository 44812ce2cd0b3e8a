"""One log file, and what the engine knows of who wrote which part of it, and when."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from core.model.operation import LogSegment
from tui.log.index import LogIndex
from tui.log.window import Window


class Source:
    """``owner``: whose log it is, where several are shown together."""

    def __init__(self, path: Path, owner: str = "") -> None:
        self.owner = owner
        self.index = LogIndex(path)
        self.window = Window(self.index)
        self._segments: tuple[LogSegment, ...] = ()
        self._starts: array[int] = array("Q")
        """The first line of each segment, as far as the file is indexed."""
        self._times: array[float] = array("d")
        """When each of those was begun; never falling, whatever the clock did."""

    def know(self, segments: Sequence[LogSegment]) -> None:
        """What the engine says now; it only ever adds."""
        if len(segments) > len(self._segments):
            self._segments = tuple(segments)

    def place(self) -> bool:
        """Find the lines of segments that were indexed meanwhile. False where there was none."""
        if self.index.size == 0 and self._starts:
            # The file began anew.
            self._starts, self._times = array("Q"), array("d")
        before = len(self._starts)
        for segment in self._segments[before:]:
            if segment.offset >= self.index.size:
                break
            line = self.index.line_at(segment.offset)
            # Where a step goes on in the middle of another one's line, its own begins with the next.
            line += self.index.span(line)[0] < segment.offset
            self._starts.append(max(line, self._starts[-1] if self._starts else 0))
            self._times.append(max(segment.time, self._times[-1] if self._times else 0.0))
        return len(self._starts) != before

    def stretches(self) -> list[tuple[int, int, int, float]]:
        """Step, first line, line after the last one, and time of each stretch that has lines. What nobody
        is known to have written is step 0's."""
        lines = self.index.lines
        found: list[tuple[int, int, int, float]] = []
        if not self._starts or self._starts[0] > 0:
            time = self._times[0] if self._times else 0.0
            found.append((0, 0, self._starts[0] if self._starts else lines, time))
        for number, start in enumerate(self._starts):
            end = self._starts[number + 1] if number + 1 < len(self._starts) else lines
            if start < end:
                found.append((self._segments[number].step, start, end, self._times[number]))
        return found

    def time_of(self, line: int) -> float:
        """When ``line`` was written, to some seconds; 0 where that is not known."""
        at = bisect_right(self._starts, line) - 1
        return self._times[at] if at >= 0 else 0.0

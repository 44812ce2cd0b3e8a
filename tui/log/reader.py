"""Where one is in a log: the rows in sight, following the end, matches, folds. Without a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tui.log.drawing import LogFile
from tui.log.finding import Finding, Found
from tui.log.reel import Reel, Seen
from tui.log.script import Script
from tui.log.source import Source
from tui.log.window import Place


class Reader:
    """``height`` and ``width`` are those of the room for rows; whoever draws them sets both."""

    def __init__(self, files: Sequence[LogFile] = ()) -> None:
        self.script = Script([Source(Path(file.path), file.owner) for file in files])
        self.files: tuple[LogFile, ...] = ()
        self._reel = Reel(self.script)
        self.height = self.width = 1
        self.follow = True
        self.wrapped = False
        self.times = False
        self.finding: Finding | None = None
        self.place = Place()
        self.left = 0
        self.found: Found | None = None
        self._seen_lines = 0
        self._jump: Callable[[], bool] | None = None
        """Goes to the match that is wanted, as soon as it is found."""
        self.know(files)

    def close(self) -> None:
        for source in self.script.sources:
            source.index.close()

    def shows(self, files: Sequence[LogFile]) -> bool:
        return [file.path for file in files] == [str(one.index.path) for one in self.script.sources]

    def know(self, files: Sequence[LogFile]) -> None:
        """What the engine says now of the same files."""
        self.files = tuple(files)
        for source, file in zip(self.script.sources, files, strict=True):
            source.know(file.segments)

    # The files.

    def extend(self, limit: int) -> bool:
        """Index at most ``limit`` more bytes of each file. True: there is more."""
        return sum(source.index.extend(limit) for source in self.script.sources) > 0

    def search_on(self) -> bool:
        """Search the next piece, and go to the match that is wanted. True: there is more."""
        more = self.finding is not None and self.finding.step()
        if self._jump is not None and (self._jump() or not more):
            self._jump = None
        return more

    @property
    def searched(self) -> bool:
        return self.finding is None or (self.finding.done and self._jump is None)

    @property
    def new(self) -> int:
        """Lines that came since the end was left."""
        return self.script.total - self._seen_lines

    def arrange(self) -> None:
        here = self.script.at(self.place.line) if self.script.rows else None
        self.script.arrange()
        if self.follow:
            self._to_end()
        elif here is not None and self.script.rows:
            # Headings that came above move everything else down.
            section, line = here
            row = self.script.row_of(section.source, max(line, section.first))
            self.place = Place(max(0, row - (line < 0)), self.place.row)

    def seen(self) -> list[Seen]:
        """The rows in sight."""
        return self._reel.rows(self.place, self.height, self.width, left=self.left, wrapped=self.wrapped)

    # Searching.

    def find(self, text: str, *, errors: bool = False) -> None:
        """Mark ``text`` everywhere, and go to the first match at or below the first visible row."""
        self.found, self._jump = None, None
        self.finding = None
        if self.script.sources and (text or errors):
            self.finding = Finding(self.script, text, errors=errors)
            row = -1 if errors and self.follow else self.place.line - 1
            self._jump = lambda: self._show_next(row, 1)

    def next_match(self, way: int) -> None:
        if self.finding is not None:
            self._show_next(self._here, way)

    def next_error(self) -> None:
        if self.finding is not None and self.finding.errors:
            self.next_match(1)
        else:
            self.find("", errors=True)

    def first_error(self) -> None:
        if self.finding is None or not self.finding.errors:
            self.find("", errors=True)
        self._jump = lambda: self._show_next(-1, 1)

    @property
    def _here(self) -> int:
        """The row from which on one searches."""
        return self.place.line if self.found is None else self.script.row_of(*self.found)

    def _show_next(self, row: int, way: int) -> bool:
        """Go to the match after (or before) a row. False where there is none so far."""
        assert self.finding is not None
        if row < 0:
            found = self.finding.first()
        else:
            found = self.finding.after(row) if way > 0 else self.finding.before(row)
        if found is None and self._jump is not None and self.finding.done and row >= 0:
            found = self.finding.before(row)
        if found is None:
            return False
        self.found = found
        self._leave_end()
        self.script.unfold(*found)
        row = self.script.row_of(*found)
        if not self.place.line <= row < self.place.line + self.height // 2:
            self.place = Place(max(0, row - self.height // 3))
        return True

    # Moving.

    def _leave_end(self) -> None:
        if self.follow:
            self.follow = False
            self._seen_lines = self.script.total

    def _to_end(self) -> None:
        self.place = self._reel.end(self.height, self.width, wrapped=self.wrapped)

    def show_offset(self, offset: int) -> None:
        """Put the line with the byte at ``offset`` of the only file below its heading, at the top."""
        if not self.script.sources:
            return
        index = self.script.sources[0].index
        while index.size <= offset and index.extend():
            pass
        self.arrange()
        if offset < index.size:
            self._leave_end()
            line = index.line_at(offset)
            self.script.unfold(0, line)
            row = self.script.row_of(0, line)
            above = row > 0 and self.script.at(row - 1)[1] < 0
            self.place = Place(row - above)

    def scroll(self, rows: int) -> None:
        self.place = self._reel.moved(self.place, rows, self.width, wrapped=self.wrapped)
        end = self._reel.end(self.height, self.width, wrapped=self.wrapped)
        if self.place >= end:
            self.place = end
            self.follow = True
        elif rows < 0:
            self._leave_end()

    def sideways(self, columns: int) -> None:
        if not self.wrapped:
            self.left = max(0, self.left + columns)

    def _to_heading(self, way: int) -> None:
        row = self.script.heading(self.place.line, way)
        if row is not None:
            self._leave_end()
            self.place = Place(row)

    def fold(self, row: int) -> None:
        """Fold the section of a row, whose heading stays in sight."""
        if self.script.rows:
            section, _ = self.script.at(min(row, self.script.rows - 1))
            self._leave_end()
            self.script.fold(section)
            top = self.script.row_of(section.source, section.first)
            self.place = min(self.place, Place(top))

    def _fold_all(self) -> None:
        self._leave_end()
        section = self.script.at(self.place.line)[0] if self.script.rows else None
        self.script.fold_all()
        if section is not None:
            self.place = Place(self.script.row_of(section.source, section.first))
        self.scroll(0)

    def perform(self, id: str) -> bool:
        """Do what a key of the log means; False where that is not the log's own business."""
        does: dict[str, Callable[[], None]] = {
            "log.next": lambda: self.next_match(1),
            "log.previous": lambda: self.next_match(-1),
            "log.error": self.next_error,
            "log.first-error": self.first_error,
            "log.wrap": self._wrap,
            "log.times": self._show_times,
            "log.fold": lambda: self.fold(self.place.line),
            "log.fold-all": self._fold_all,
            "log.step-before": lambda: self._to_heading(-1),
            "log.step-after": lambda: self._to_heading(1),
            "log.end": self.to_end,
            "log.begin": self.to_beginning,
        }
        found = does.get(id)
        if found is not None:
            found()
        return found is not None

    def _wrap(self) -> None:
        self.wrapped, self.left = not self.wrapped, 0
        self.place = Place(self.place.line)
        self.arrange()

    def _show_times(self) -> None:
        self.times = not self.times
        self.arrange()

    def to_end(self) -> None:
        self.follow = True
        self.left = 0
        self.arrange()

    def to_beginning(self) -> None:
        self._leave_end()
        self.place, self.left = Place(), 0

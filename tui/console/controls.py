"""What the keys do in a console that is not typed in: look back, search, select, copy, record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events

from tui.console import recording
from tui.console.recording import Recording
from tui.look.lines import cut_left

if TYPE_CHECKING:
    from tui.console.view import ConsoleView

_KEPT = 2000
"""Characters of a search."""


class Controls:
    def __init__(self, view: ConsoleView) -> None:
        self._view = view
        self.finding: str | None = None
        """What is being typed into the search."""
        self._recorded: Path | None = None
        """The file of a recording that has just ended."""
        self._commands: dict[str, Callable[[], None]] = {
            "console.type": view.type_here,
            "console.find": self._begin_find,
            "console.next": lambda: self._next(1),
            "console.previous": lambda: self._next(-1),
            "console.select": lambda: self._select(lines=False),
            "console.lines": lambda: self._select(lines=True),
            "console.copy": self._copy,
            "console.record": self._record,
        }

    def perform(self, id: str) -> bool:
        """False for what is not a matter of one console."""
        command = self._commands.get(id)
        if command is None:
            return False
        if id != "console.type":
            self._view.keyboard.typing = False
        if id != "console.copy":
            self._recorded = None
        command()
        self._view.redraw()
        return True

    def move(self, key: str) -> bool:
        """Keys that move the cursor; False for others."""
        view = self._view
        lookback = view.look_back()
        if lookback is None:
            return False
        page = max(1, view.guest_size[1] - 1)
        moves: dict[str, Callable[[], None]] = {
            "up": lambda: lookback.move(rows=-1),
            "down": lambda: lookback.move(rows=1),
            "left": lambda: lookback.move(columns=-1),
            "right": lambda: lookback.move(columns=1),
            "pageup": lambda: lookback.move(rows=-page),
            "pagedown": lambda: lookback.move(rows=page),
            "shift+pageup": lambda: lookback.move(rows=-page),
            "shift+pagedown": lambda: lookback.move(rows=page),
            "home": lambda: lookback.go(lookback.cursor._replace(x=0)),
            "end": lookback.row_end,
            "g": lookback.to_start,
            "G": lookback.to_end,
        }
        if key not in moves:
            return False
        self._recorded = None
        moves[key]()
        view.redraw()
        return True

    def escape(self) -> bool:
        """Ends what was begun last; False where there was nothing."""
        lookback = self._view.lookback
        if lookback is not None and lookback.anchor is not None:
            lookback.deselect()
        elif lookback is not None and lookback.wanted:
            lookback.stop_finding()
        else:
            return False
        self._view.redraw()
        return True

    # Searching.

    def _begin_find(self) -> None:
        self.finding = ""

    def find_key(self, event: events.Key) -> None:
        """A key while the search is typed; matches are shown at once."""
        assert self.finding is not None
        if event.key == "escape":
            self.finding = None
            self.escape()
        elif event.key == "enter":
            text, self.finding = self.finding, None
            lookback = self._view.lookback
            if text and lookback is not None and not lookback.matches:
                self._view.say(f"{text!r} is not there.", "warn")
        elif event.key == "backspace":
            self._find(self.finding[:-1])
        elif event.character and event.character.isprintable():
            self._find(self.finding + event.character)
        self._view.redraw()

    def find_paste(self, text: str) -> None:
        self._find((self.finding or "") + " ".join(text.splitlines()))
        self._view.redraw()

    def _find(self, text: str) -> None:
        self.finding = text[:_KEPT]
        lookback = self._view.look_back()
        if lookback is not None:
            lookback.find(self.finding)

    def _next(self, way: int) -> None:
        lookback = self._view.look_back()
        if lookback is None or not lookback.wanted:
            self._view.say("Nothing is searched for: / begins.", "warn")
        elif not lookback.next(way):
            self._view.say(f"{lookback.wanted!r} is not there.", "warn")

    # Selecting.

    def _select(self, *, lines: bool) -> None:
        lookback = self._view.look_back()
        if lookback is not None:
            lookback.select(lines=lines)

    def _copy(self) -> None:
        """The selection; without one where a recording that has just ended is, or the link at the cursor,
        or the line."""
        if self._recorded is not None:
            self._view.copy(str(self._recorded))
            return
        view, lookback = self._view, self._view.look_back()
        if lookback is None:
            return
        text = lookback.text()
        if lookback.anchor is None:
            text = view.address_at(lookback.cursor.x, lookback.cursor.row - lookback.top)
            if not text:
                lookback.select(lines=True)
                text = lookback.text()
        lookback.deselect()
        view.copy(text)

    # Recording.

    def _record(self) -> None:
        view, session = self._view, self._view.session
        if session.recording is not None:
            path = session.stop_recording()
            assert path is not None
            self._recorded = path
            view.say(_where(path, view.size.width, view), "good")
        elif session.fixed:
            view.say("A recording that is played is not recorded again.", "warn")
        else:
            columns, rows = view.guest_size
            try:
                path = recording.path_for(f"{session.owner}-{session.name}")
                session.record(Recording(path, columns, rows, f"{session.owner}: {session.name}"))
            except OSError as error:
                view.say(f"It cannot be recorded: {error}", "bad")


def _where(path: Path, width: int, view: ConsoleView) -> str:
    """The file of a recording, and the keys for it where there is room."""
    key = view.keymap.key
    copies, plays = f"  {key('console.copy')} copies the path", f"  {key('workbench.recordings')} plays it"
    shown = str(path)
    home = str(Path.home())
    if shown.startswith(home + "/"):
        shown = "~" + shown.removeprefix(home)
    for keys in (copies + plays, copies, ""):
        text = f"Recorded: {shown}{keys}"
        if cell_len(text) <= width:
            return text
    return f"Recorded: {cut_left(shown, max(12, width - 10), view.signs.ellipsis)}"

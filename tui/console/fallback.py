"""The screen by bittty, in Python alone: for platforms without a binary of libghostty-vt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bittty import Board, MemoryConnection
from bittty.devices.modes import MouseEncoding, MouseProtocol
from bittty.terminals import Terminal
from bittty.terminals.scrollback import MemoryScrollback, MemoryView

from tui.console import keys
from tui.console.mouse import Format, MouseModes, Tracking
from tui.console.screen import Cells, Changes, Cursor, History, Link, Modes
from tui.log import sgr
from tui.log.sgr import Sgr

_SCROLLBACK_CELLS = 1_000_000
"""About ten bytes of memory each."""

_ATTRIBUTES = (
    ("bold", sgr.BOLD),
    ("dim", sgr.DIM),
    ("italic", sgr.ITALIC),
    ("underline", sgr.UNDERLINE),
    ("reverse", sgr.REVERSE),
    ("strike", sgr.STRIKE),
    ("conceal", sgr.CONCEAL),
)


_TRACKING = {
    MouseProtocol.X10: Tracking.PRESSES,
    MouseProtocol.NORMAL: Tracking.BUTTONS,
    MouseProtocol.BUTTON: Tracking.DRAGS,
    MouseProtocol.ANY: Tracking.MOVES,
}
_FORMATS = {
    MouseEncoding.LEGACY: Format.PLAIN,
    MouseEncoding.UTF8: Format.UTF8,
    MouseEncoding.SGR: Format.SGR,
    MouseEncoding.SGR_PIXELS: Format.PIXELS,
    MouseEncoding.URXVT: Format.URXVT,
}


class _Chrome(Terminal):  # type: ignore[misc]
    """Hears what the board has to say besides its cells."""

    def __init__(self, board: Board) -> None:
        super().__init__(board, MemoryScrollback(_SCROLLBACK_CELLS))
        self.title = ""
        self.rang = False

    def on_bell(self) -> None:
        self.rang = True

    def on_title(self, title: str, icon_title: str) -> None:
        self.title = title


class BitttyScreen:
    """See :class:`tui.console.screen.Screen`."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._board = Board(width=columns, height=rows)
        self._cable = MemoryConnection()
        self._board.host.attach(self._cable)
        self._chrome = _Chrome(self._board)
        self._chrome.attach()
        self._styles: dict[Any, Sgr] = {}
        self._view: list[Sequence[Any]] = []
        self._pin: tuple[int, int] | None = None
        self._pinned = 0
        self._dropped = 0

    @property
    def title(self) -> str:
        return self._chrome.title

    def feed(self, data: bytes) -> None:
        self._board.feed_host_data(data)

    def take_replies(self) -> bytes:
        parts = [
            part.encode("latin-1", "replace") if isinstance(part, str) else part for part in self._cable.data
        ]
        self._cable.data.clear()
        return b"".join(parts)

    def take_bell(self) -> bool:
        rang, self._chrome.rang = self._chrome.rang, False
        return rang

    def resize(self, columns: int, rows: int) -> None:
        if (columns, rows) != (self.columns, self.rows):
            self.columns, self.rows = columns, rows
            self._board.resize_from_frontend(columns, rows)
            self._pin = None

    @property
    def held(self) -> bool:
        return bool(self._board.modes.synchronized_output)

    def changes(self) -> Changes:
        damaged = tuple(self._chrome.damaged_rows())
        self._view = self._chrome.view_rows()
        everything = len(damaged) >= self.rows or self.scrolled
        return Changes(None if everything else damaged)

    def row(self, y: int) -> Cells:
        if y >= len(self._view):
            return ()
        out: list[tuple[str, Sgr]] = []
        for style, character in self._view[y]:
            state = self._styles.get(style)
            if state is None:
                state = self._styles[style] = _state(style)
            if out and out[-1][1] == state:
                out[-1] = out[-1][0] + str(character), state
            else:
                out.append((str(character), state))
        while out and out[-1][1] == sgr.PLAIN and not out[-1][0].strip(" "):
            out.pop()
        return tuple(out)

    def links(self, y: int) -> tuple[Link, ...]:
        out: list[Link] = []
        for x, (style, _) in enumerate(self._view[y] if y < len(self._view) else ()):
            address = style.hyperlink or ""
            if address and out and out[-1].end == x and out[-1].address == address:
                out[-1] = out[-1]._replace(end=x + 1)
            elif address:
                out.append(Link(x, x + 1, address))
        return tuple(out)

    # All rows.

    @property
    def _store(self) -> MemoryView:
        return self._chrome.scrollback.width(self.columns)

    def history(self) -> History:
        store, page = self._store, self._board.display.page
        above = len(store)
        rows = [_text(store[row]) for row in range(above)]
        places = [store.line_at(row) for row in range(above)]
        goes_on = {row for row in range(above - 1) if places[row][0] == places[row + 1][0]}
        if above and store.store._open:
            goes_on.add(above - 1)
        for y in range(self.rows):
            line = page.line(y)
            rows.append(_text(line.cells))
            if line.wrapped:
                goes_on.add(above + y)
        return History(tuple(rows), frozenset(goes_on))

    @property
    def total(self) -> int:
        return len(self._store) + self.rows

    @property
    def dropped(self) -> int:
        """Seen by a line that leaves its place."""
        store = self._store
        if self._pin is not None:
            line, within = self._pin
            kept = line >= store.store.first
            self._dropped += max(0, self._pinned - (store.row_for(line) + within if kept else -1))
        self._pinned = len(store) - 1
        self._pin = store.line_at(self._pinned) if self._pinned >= 0 else None
        return self._dropped

    @property
    def cursor(self) -> Cursor:
        found = self._board.display.cursor
        if found is None or self.scrolled:
            return Cursor(0, 0, False)
        return Cursor(found[0], found[1], True)

    @property
    def alternate(self) -> bool:
        return bool(self._board.blitter.in_alt_screen)

    def scroll(self, rows: int) -> None:
        self._chrome.scroll_view(rows)

    def scroll_to_end(self) -> None:
        self._chrome.scroll_to_bottom()

    @property
    def scrolled(self) -> int:
        return int(self._chrome.view_offset())

    def key(self, key: str, character: str | None) -> bytes:
        return keys.encode(key, character, application=self.modes.application_cursor)

    @property
    def modes(self) -> Modes:
        modes, mouse = self._board.modes, self._board.mouse
        return Modes(
            application_cursor=bool(modes.cursor_application_mode),
            bracketed_paste=bool(modes.bracketed_paste),
            focus=bool(modes.focus_reporting),
            kitty=0,
            mouse=MouseModes(_TRACKING.get(mouse.protocol, Tracking.OFF), _FORMATS[mouse.encoding]),
        )

    def text(self) -> str:
        return str(self._board.capture_text())

    def close(self) -> None:
        self._chrome.detach()


def _text(cells: Sequence[Any]) -> str:
    return "".join(str(character) for _, character in cells).rstrip()


def _state(style: Any) -> Sgr:
    attributes = sum(flag for name, flag in _ATTRIBUTES if getattr(style, name))
    return Sgr(_colour(style.fg), _colour(style.bg), attributes)


def _colour(colour: Any) -> int | sgr.Rgb | None:
    if colour is None or colour.mode == "default":
        return None
    if colour.mode == "indexed":
        return int(colour.value)
    red, green, blue = colour.value
    return red, green, blue

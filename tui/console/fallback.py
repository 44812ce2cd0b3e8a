"""The screen by bittty, in Python alone: for platforms without a binary of libghostty-vt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bittty import Board, MemoryConnection
from bittty.terminals import Terminal
from bittty.terminals.scrollback import MemoryScrollback

from tui.console import keys
from tui.console.screen import Cells, Changes, Cursor
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
        return keys.encode(key, character, application=bool(self._board.modes.cursor_application_mode))

    def paste(self, text: str) -> bytes:
        return keys.pasted(text, bracketed=bool(self._board.modes.bracketed_paste))

    def wheel(self, x: int, y: int, *, up: bool) -> bytes:
        before = len(self._cable.data)
        if self._board.mouse.capture != "none":
            self._board.display.input_mouse(x + 1, y + 1, 64 if up else 65, "press", set())
        if len(self._cable.data) > before:
            return self.take_replies()
        if self.alternate:
            return self.key("up" if up else "down", None) * 3
        return b""

    def text(self) -> str:
        return str(self._board.capture_text())

    def close(self) -> None:
        self._chrome.detach()


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

"""The screen by libghostty-vt: takes hundreds of megabytes a second; only rows that changed are decoded."""

from __future__ import annotations

import contextlib
from typing import Any

from pyghostty import GhosttyError, Terminal, ffi, lib
from pyghostty._ffi import union_fn

from tui.console import keys
from tui.console.ghostty.cells import Decoder
from tui.console.ghostty.history import Rows
from tui.console.mouse import Format, MouseModes, Tracking
from tui.console.screen import SCROLLBACK, Cells, Changes, Cursor, History, Link, Modes

_BRACKETED_PASTE, _APPLICATION_CURSOR, _SYNCHRONIZED = 2004, 1, 2026
_TRACKING = (Tracking.MOVES, Tracking.DRAGS, Tracking.BUTTONS, Tracking.PRESSES)
_FORMATS = (Format.PIXELS, Format.SGR, Format.URXVT, Format.UTF8)
_FOCUS = 1004

ffi.cdef("typedef struct { GhosttyTerminalScrollViewportTag tag; uint64_t value[2]; } BoxwrightScroll;")
_LAYOUT = "BoxwrightScroll", "GhosttyTerminalScrollViewport"
assert ffi.sizeof(_LAYOUT[0]) == ffi.sizeof(_LAYOUT[1])


class GhosttyScreen:
    """See :class:`tui.console.screen.Screen`."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._title = ""
        self._terminal = Terminal(columns, rows)
        self._handle = self._terminal._t[0]
        self._replies = bytearray()
        self._bell = False
        self._limit_scrollback()
        self._listen()
        self._all = Rows(self._terminal)
        self._shown = Decoder(self._handle, lambda x, y: self._all.reference(x, y, visible=True), rows)

    def _limit_scrollback(self) -> None:
        """In bytes: a cap in lines would let wide lines take any amount of memory."""
        number = ffi.new("size_t*", SCROLLBACK)
        lib.ghostty_terminal_set(self._handle, lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_BYTES, number)
        unlimited = ffi.new("size_t*", SCROLLBACK)
        lib.ghostty_terminal_set(self._handle, lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_LINES, unlimited)

    def _listen(self) -> None:
        self._terminal.on_reply(self._replies.extend)

        def bell(_terminal: Any, _data: Any) -> None:
            self._bell = True

        def title(_terminal: Any, _data: Any) -> None:
            text = self._terminal.get("title", "GhosttyString")
            raw = ffi.buffer(text.ptr, text.len)[:] if text.len else b""
            self._title = raw.decode("utf-8", "replace")

        # Kept, as libghostty calls them for as long as the terminal lives.
        self._callbacks = (
            ffi.callback("GhosttyTerminalBellFn", bell),
            ffi.callback("GhosttyTerminalTitleChangedFn", title),
        )
        lib.ghostty_terminal_set(self._handle, lib.GHOSTTY_TERMINAL_OPT_BELL, self._callbacks[0])
        lib.ghostty_terminal_set(self._handle, lib.GHOSTTY_TERMINAL_OPT_TITLE_CHANGED, self._callbacks[1])

    @property
    def title(self) -> str:
        return self._title

    def feed(self, data: bytes) -> None:
        lib.ghostty_terminal_vt_write(self._handle, data, len(data))

    def take_replies(self) -> bytes:
        replies = bytes(self._replies)
        self._replies.clear()
        return replies

    def take_bell(self) -> bool:
        rang, self._bell = self._bell, False
        return rang

    def resize(self, columns: int, rows: int) -> None:
        if (columns, rows) != (self.columns, self.rows):
            self.columns, self.rows = columns, rows
            self._terminal.resize(columns, rows)
            self._shown.resize(rows)

    @property
    def held(self) -> bool:
        return bool(self._terminal.mode(_SYNCHRONIZED))

    # Looking.

    def changes(self) -> Changes:
        return self._shown.changes()

    def row(self, y: int) -> Cells:
        return self._shown.rows[y] if y < len(self._shown.rows) else ()

    def links(self, y: int) -> tuple[Link, ...]:
        return self._shown.links[y] if y < len(self._shown.links) else ()

    def history(self) -> History:
        return self._all.history()

    @property
    def total(self) -> int:
        return self._all.total

    @property
    def dropped(self) -> int:
        return self._all.dropped

    @property
    def cursor(self) -> Cursor:
        x, y = self._terminal.cursor
        visible = bool(self._terminal.get("cursor_visible", "bool")) and not self.scrolled
        return Cursor(x, y, visible)

    @property
    def alternate(self) -> bool:
        return bool(self._terminal.get("active_screen", "int"))

    # Scrolling.

    def _scroll(self, tag: int, value: int = 0) -> None:
        scroll = union_fn("ghostty_terminal_scroll_viewport", "void(*)(GhosttyTerminal, BoxwrightScroll)")
        how = ffi.new("BoxwrightScroll*")
        how.tag = tag
        how.value[0] = value & 0xFFFFFFFFFFFFFFFF
        scroll(self._handle, how[0])

    def scroll(self, rows: int) -> None:
        self._scroll(lib.GHOSTTY_SCROLL_VIEWPORT_DELTA, rows)

    def scroll_to_end(self) -> None:
        self._scroll(lib.GHOSTTY_SCROLL_VIEWPORT_BOTTOM)

    @property
    def scrolled(self) -> int:
        bar = self._terminal.get("scrollbar", "GhosttyTerminalScrollbar")
        return max(0, int(bar.total - bar.offset - bar.len))

    # Input.

    def key(self, key: str, character: str | None) -> bytes:
        modes = self.modes
        if modes.kitty:
            told = keys.encode_kitty(key, character, modes.kitty)
            if told:
                return told
        return keys.encode(key, character, application=modes.application_cursor)

    @property
    def modes(self) -> Modes:
        mode = self._terminal.mode
        tracking = next((one for one in _TRACKING if mode(one)), Tracking.OFF)
        format = next((one for one in _FORMATS if mode(one)), Format.PLAIN)
        return Modes(
            application_cursor=mode(_APPLICATION_CURSOR),
            bracketed_paste=mode(_BRACKETED_PASTE),
            focus=mode(_FOCUS),
            kitty=int(self._terminal.get("kitty_keyboard_flags", "uint8_t")),
            mouse=MouseModes(tracking, format),
        )

    def text(self) -> str:
        return str(self._terminal.text())

    def close(self) -> None:
        if self._terminal._t is None:
            return
        self._shown.close()
        self._all.forget()
        with contextlib.suppress(GhosttyError):
            self._terminal.close()

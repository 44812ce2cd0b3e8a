"""The screen by libghostty-vt: takes hundreds of megabytes a second; only rows that changed are decoded."""

from __future__ import annotations

import contextlib
from typing import Any

from pyghostty import GhosttyError, Terminal, ffi, lib
from pyghostty._ffi import union_fn

from tui.console import keys
from tui.console.screen import SCROLLBACK, Cells, Changes, Cursor
from tui.log import sgr
from tui.log.sgr import Sgr

_BRACKETED_PASTE, _APPLICATION_CURSOR, _SYNCHRONIZED = 2004, 1, 2026
_MOUSE_MODES = (1000, 1002, 1003)
_MOUSE_SGR = 1006
_ALTERNATE_SCROLL = 1007

_ATTRIBUTES = (
    ("bold", sgr.BOLD),
    ("faint", sgr.DIM),
    ("italic", sgr.ITALIC),
    ("inverse", sgr.REVERSE),
    ("strikethrough", sgr.STRIKE),
    ("invisible", sgr.CONCEAL),
)

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
        self._decoded: dict[int, tuple[str, int | Sgr]] = {}
        self._limit_scrollback()
        self._listen()
        self._state = self._made("ghostty_render_state_new", "GhosttyRenderState*")
        self._iterator = self._made("ghostty_render_state_row_iterator_new", "GhosttyRenderStateRowIterator*")
        self._cells = self._made("ghostty_render_state_row_cells_new", "GhosttyRenderStateRowCells*")
        self._style = ffi.new("GhosttyStyle*")
        self._style.size = ffi.sizeof("GhosttyStyle")
        self._rows: list[Cells] = [()] * rows

    def _made(self, function: str, kind: str) -> Any:
        handle = ffi.new(kind)
        if getattr(lib, function)(ffi.NULL, handle):
            raise GhosttyError(function)
        return handle

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
            self._rows = [()] * rows

    @property
    def held(self) -> bool:
        return bool(self._terminal.mode(_SYNCHRONIZED))

    # Looking.

    def changes(self) -> Changes:
        state = self._state[0]
        lib.ghostty_render_state_update(state, self._handle)
        dirty = ffi.new("GhosttyRenderStateDirty*")
        lib.ghostty_render_state_get(state, lib.GHOSTTY_RENDER_STATE_DATA_DIRTY, dirty)
        if dirty[0] == lib.GHOSTTY_RENDER_STATE_DIRTY_FALSE:
            return Changes(())
        everything = dirty[0] == lib.GHOSTTY_RENDER_STATE_DIRTY_FULL
        lib.ghostty_render_state_get(state, lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._iterator)
        changed = self._decode_rows(everything=everything)
        lib.ghostty_render_state_clean(state)
        return Changes(None if everything else tuple(changed))

    def _decode_rows(self, *, everything: bool) -> list[int]:
        iterator = self._iterator[0]
        changed: list[int] = []
        is_dirty = ffi.new("bool*")
        for y in range(self.rows):
            if not lib.ghostty_render_state_row_iterator_next(iterator):
                break
            lib.ghostty_render_state_row_get(iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_DIRTY, is_dirty)
            if not (everything or is_dirty[0]):
                continue
            self._rows[y] = self._decode_row(iterator)
            changed.append(y)
        return changed

    def _decode_row(self, iterator: Any) -> Cells:
        view = ffi.new("GhosttyCellsView*")
        lib.ghostty_render_state_row_get(iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, view)
        raw = memoryview(ffi.buffer(view.ptr, view.len * 8)).cast("Q") if view.len else ()
        last = len(raw)
        while last and not raw[last - 1]:
            last -= 1
        if not last:
            return ()
        lib.ghostty_render_state_row_get(iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells)
        decoded = self._decoded
        styles: dict[int, Sgr] = {}
        out: list[tuple[str, Sgr]] = []
        text = ""
        current = sgr.PLAIN
        for x in range(last):
            value = raw[x]
            found = decoded.get(value)
            if found is None:
                found = self._decode_cell(value)
            character, style_id = found
            if isinstance(style_id, Sgr):
                style = style_id
            elif style_id == _GRAPHEME:
                character, style = self._grapheme(x), self._style_at(x)
            elif not style_id:
                style = sgr.PLAIN
            elif style_id in styles:
                style = styles[style_id]
            else:
                style = styles[style_id] = self._style_at(x)
            if style is not current and style != current:
                if text:
                    out.append((text, current))
                text, current = character, style
            else:
                text += character
        if text:
            out.append((text, current))
        return tuple(out)

    def _decode_cell(self, value: int) -> tuple[str, int | Sgr]:
        """Text and number of the style of a cell; styles are numbered anew on each page of memory.
        A cell that was erased while a background was set holds that colour itself."""
        number = ffi.new("uint32_t*")
        kind = ffi.new("int*")
        style = ffi.new("uint16_t*")
        wide = ffi.new("int*")
        lib.ghostty_cell_get(value, lib.GHOSTTY_CELL_DATA_CONTENT_TAG, kind)
        lib.ghostty_cell_get(value, lib.GHOSTTY_CELL_DATA_WIDE, wide)
        lib.ghostty_cell_get(value, lib.GHOSTTY_CELL_DATA_STYLE_ID, style)
        if wide[0] == lib.GHOSTTY_CELL_WIDE_SPACER_TAIL:
            found: tuple[str, int | Sgr] = ("", style[0])
        elif kind[0] == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_PALETTE:
            index = ffi.new("uint8_t*")
            lib.ghostty_cell_get(value, lib.GHOSTTY_CELL_DATA_COLOR_PALETTE, index)
            found = (" ", Sgr(bg=index[0]))
        elif kind[0] == lib.GHOSTTY_CELL_CONTENT_BG_COLOR_RGB:
            colour = ffi.new("GhosttyColorRgb*")
            lib.ghostty_cell_get(value, lib.GHOSTTY_CELL_DATA_COLOR_RGB, colour)
            found = (" ", Sgr(bg=(colour.r, colour.g, colour.b)))
        elif kind[0] == lib.GHOSTTY_CELL_CONTENT_CODEPOINT_GRAPHEME:
            found = ("", _GRAPHEME)
        else:
            lib.ghostty_cell_get(value, lib.GHOSTTY_CELL_DATA_CODEPOINT, number)
            found = (_character(number[0]), style[0])
        if len(self._decoded) > 65536:
            self._decoded.clear()
        self._decoded[value] = found
        return found

    def _grapheme(self, x: int) -> str:
        """A character with marks."""
        lib.ghostty_render_state_row_cells_select(self._cells[0], x)
        length = ffi.new("uint32_t*")
        data = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN
        if lib.ghostty_render_state_row_cells_get(self._cells[0], data, length) or not length[0]:
            return " "
        points = ffi.new("uint32_t[]", length[0])
        data = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF
        if lib.ghostty_render_state_row_cells_get(self._cells[0], data, points):
            return " "
        return "".join(_character(point) for point in points) or " "

    def _style_at(self, x: int) -> Sgr:
        lib.ghostty_render_state_row_cells_select(self._cells[0], x)
        data = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE
        if lib.ghostty_render_state_row_cells_get(self._cells[0], data, self._style):
            return sgr.PLAIN
        style = self._style
        attributes = sum(flag for name, flag in _ATTRIBUTES if getattr(style, name))
        if style.underline:
            attributes |= sgr.UNDERLINE
        return Sgr(_colour(style.fg_color), _colour(style.bg_color), attributes)

    def row(self, y: int) -> Cells:
        return self._rows[y] if y < len(self._rows) else ()

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
        flags = self._terminal.get("kitty_keyboard_flags", "uint8_t")
        if flags:
            told = keys.encode_kitty(key, character, flags)
            if told:
                return told
        return keys.encode(key, character, application=self._terminal.mode(_APPLICATION_CURSOR))

    def paste(self, text: str) -> bytes:
        return keys.pasted(text, bracketed=self._terminal.mode(_BRACKETED_PASTE))

    def wheel(self, x: int, y: int, *, up: bool) -> bytes:
        if any(self._terminal.mode(mode) for mode in _MOUSE_MODES):
            button = 64 if up else 65
            if self._terminal.mode(_MOUSE_SGR):
                return f"\x1b[<{button};{x + 1};{y + 1}M".encode()
            if x < 223 and y < 223:
                return b"\x1b[M" + bytes([32 + button, 33 + x, 33 + y])
            return b""
        if self.alternate:
            # A pager without mouse is scrolled by cursor keys.
            return keys.encode("up" if up else "down", None, application=self._terminal.mode(1)) * 3
        return b""

    def text(self) -> str:
        return str(self._terminal.text())

    def close(self) -> None:
        if self._terminal._t is None:
            return
        lib.ghostty_render_state_row_cells_free(self._cells[0])
        lib.ghostty_render_state_row_iterator_free(self._iterator[0])
        lib.ghostty_render_state_free(self._state[0])
        with contextlib.suppress(GhosttyError):
            self._terminal.close()


_GRAPHEME = -1
"""In place of a style's number: the cell has to be asked for by its place."""


def _character(point: int) -> str:
    """Blank for what is no character (a cell without text has 0)."""
    if point < 32 or 0xD800 <= point <= 0xDFFF or point > 0x10FFFF or 127 <= point < 160:
        return " "
    return chr(point)


def _colour(colour: Any) -> int | sgr.Rgb | None:
    if colour.tag == lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return int(colour.value.palette)
    if colour.tag == lib.GHOSTTY_STYLE_COLOR_RGB:
        return colour.value.rgb.r, colour.value.rgb.g, colour.value.rgb.b
    return None

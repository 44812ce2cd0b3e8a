"""Decoding of libghostty's rows: only those that changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyghostty import GhosttyError, ffi, lib

from tui.console.screen import Cells, Changes, Link
from tui.log import sgr
from tui.log.sgr import Sgr

_ATTRIBUTES = (
    ("bold", sgr.BOLD),
    ("faint", sgr.DIM),
    ("italic", sgr.ITALIC),
    ("inverse", sgr.REVERSE),
    ("strikethrough", sgr.STRIKE),
    ("invisible", sgr.CONCEAL),
)


class Decoder:
    """The visible rows as of the last ``changes``. ``reference`` tells the library a place in it."""

    def __init__(self, terminal: Any, reference: Callable[[int, int], Any], rows: int) -> None:
        self._handle = terminal
        self._reference = reference
        self._decoded: dict[int, tuple[str, int | Sgr]] = {}
        self._state = _made("ghostty_render_state_new", "GhosttyRenderState*")
        self._iterator = _made("ghostty_render_state_row_iterator_new", "GhosttyRenderStateRowIterator*")
        self._cells = _made("ghostty_render_state_row_cells_new", "GhosttyRenderStateRowCells*")
        self._style = ffi.new("GhosttyStyle*")
        self._style.size = ffi.sizeof("GhosttyStyle")
        self.rows: list[Cells] = [()] * rows
        self.links: list[tuple[Link, ...]] = [()] * rows

    def resize(self, rows: int) -> None:
        self.rows = [()] * rows
        self.links = [()] * rows

    def close(self) -> None:
        lib.ghostty_render_state_row_cells_free(self._cells[0])
        lib.ghostty_render_state_row_iterator_free(self._iterator[0])
        lib.ghostty_render_state_free(self._state[0])

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
        for y in range(len(self.rows)):
            if not lib.ghostty_render_state_row_iterator_next(iterator):
                break
            lib.ghostty_render_state_row_get(iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_DIRTY, is_dirty)
            if not (everything or is_dirty[0]):
                continue
            self.rows[y] = self._decode_row(iterator)
            self.links[y] = self._decode_links(iterator, y)
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

    def _decode_links(self, iterator: Any, y: int) -> tuple[Link, ...]:
        row, has = ffi.new("GhosttyRow*"), ffi.new("bool*")
        lib.ghostty_render_state_row_get(iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_RAW, row)
        lib.ghostty_row_get(row[0], lib.GHOSTTY_ROW_DATA_HYPERLINK, has)
        if not has[0]:
            return ()
        view = ffi.new("GhosttyCellsView*")
        lib.ghostty_render_state_row_get(iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, view)
        links: list[Link] = []
        for x in range(view.len):
            lib.ghostty_cell_get(view.ptr[x], lib.GHOSTTY_CELL_DATA_HAS_HYPERLINK, has)
            address = self._address(x, y) if has[0] else ""
            if not address:
                continue
            if links and links[-1].end == x and links[-1].address == address:
                links[-1] = links[-1]._replace(end=x + 1)
            else:
                links.append(Link(x, x + 1, address))
        return tuple(links)

    def _address(self, x: int, y: int) -> str:
        reference, length = self._reference(x, y), ffi.new("size_t*")
        lib.ghostty_grid_ref_hyperlink_uri(reference, ffi.NULL, 0, length)
        if not length[0]:
            return ""
        text = ffi.new("uint8_t[]", length[0])
        if lib.ghostty_grid_ref_hyperlink_uri(reference, text, length[0], length):
            return ""
        return bytes(ffi.buffer(text, length[0])).decode("utf-8", "replace")


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


def _made(function: str, kind: str) -> Any:
    handle = ffi.new(kind)
    if getattr(lib, function)(ffi.NULL, handle):
        raise GhosttyError(function)
    return handle

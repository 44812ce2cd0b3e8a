"""What a screen shows, as a file and in half blocks."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from core.builds.qemu.picture import Picture, ansi

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(width: int, rows: list[tuple[int, int, int]]) -> Picture:
    """Each row in one colour."""
    pixels = b"".join(bytes((blue, green, red, 0)) * width for red, green, blue in rows)
    return Picture(width, len(rows), pixels)


def test_a_png_file_holds_each_pixel() -> None:
    data = picture(3, [RED, BLUE]).png()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">IIBB", data[16:26]) == (3, 2, 8, 2)
    length = struct.unpack(">I", data[33:37])[0]
    assert data[37:41] == b"IDAT"
    rows = zlib.decompress(data[41 : 41 + length])
    assert rows == b"\0" + bytes(RED) * 3 + b"\0" + bytes(BLUE) * 3


def test_two_rows_of_pixels_are_one_of_half_blocks() -> None:
    [line] = picture(4, [RED, BLUE]).blocks(4, 1)
    assert line == [(RED, BLUE)] * 4
    assert ansi([line]) == ["\x1b[38;2;255;0;0;48;2;0;0;255m\u2580\u2580\u2580\u2580\x1b[0m"]


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 60), st.integers(1, 40))
def test_it_fits_whatever_room_there_is(width: int, height: int, columns: int, rows: int) -> None:
    cells = picture(width, [RED] * height).blocks(columns, rows)
    assert 1 <= len(cells) <= rows
    assert all(1 <= len(row) <= columns for row in cells)
    assert {half for row in cells for cell in row for half in cell} == {RED}

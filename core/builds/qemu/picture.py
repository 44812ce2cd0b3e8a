"""What a machine's screen shows: as a PNG file, or in the half blocks of a terminal. Pure."""

from __future__ import annotations

import struct
import zlib

import msgspec

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


class Picture(msgspec.Struct, frozen=True):
    """``pixels``: four bytes each (blue, green, red, nothing), row by row from the top left."""

    width: int
    height: int
    pixels: bytes

    def png(self) -> bytes:
        """A file in true colour."""
        rows = bytearray()
        stride = 4 * self.width
        for y in range(self.height):
            line = self.pixels[y * stride : (y + 1) * stride]
            shown = bytearray(3 * self.width)
            shown[0::3], shown[1::3], shown[2::3] = line[2::4], line[1::4], line[0::4]
            rows += b"\0" + shown  # 0: no filter
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            _chunk(kind, data)
            for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 6)), (b"IEND", b""))
        )

    def blocks(self, columns: int, rows: int) -> list[list[tuple[Colour, Colour]]]:
        """As large as fits into so many cells of a terminal, in its own proportions: for each cell the colour
        of its upper and of its lower half."""
        if not self.width or not self.height:
            return []
        scale = max(self.width / columns, self.height / (2 * rows))
        across = max(1, min(columns, round(self.width / scale)))
        down = max(1, min(rows, round(self.height / scale / 2)))
        half = [self._line(across, y, 2 * down) for y in range(2 * down)]
        return [list(zip(half[2 * y], half[2 * y + 1], strict=True)) for y in range(down)]

    def _line(self, across: int, y: int, down: int) -> list[Colour]:
        """One line of halves: the mean of what lies below each, so that thin strokes do not get lost."""
        top = y * self.height // down
        bottom = max(top + 1, (y + 1) * self.height // down)
        step = max(1, (bottom - top) // _SAMPLES)
        stride = 4 * self.width
        rows = [self.pixels[line * stride : (line + 1) * stride] for line in range(top, bottom, step)]
        parts = [[row[place::4] for row in rows] for place in (2, 1, 0)]
        found = []
        for x in range(across):
            left = x * self.width // across
            right = max(left + 1, (x + 1) * self.width // across)
            beside = slice(left, right, max(1, (right - left) // _SAMPLES))
            count = len(rows) * len(parts[0][0][beside])
            red, green, blue = (sum(sum(row[beside]) for row in part) // count for part in parts)
            found.append((red, green, blue))
        return found


_SAMPLES = 4
"""Pixels that are looked at below each half, in each direction."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def ansi(cells: list[list[tuple[Colour, Colour]]]) -> list[str]:
    """Lines for a terminal with true colour."""
    lines = []
    for row in cells:
        last: tuple[Colour, Colour] | None = None
        line = ""
        for cell in row:
            if cell != last:
                (red, green, blue), (red2, green2, blue2) = cell
                line += f"\x1b[38;2;{red};{green};{blue};48;2;{red2};{green2};{blue2}m"
                last = cell
            line += "\u2580"
        lines.append(f"{line}\x1b[0m")
    return lines

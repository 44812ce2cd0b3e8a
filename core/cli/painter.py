"""Redraws a block of lines in place, below lines that stay."""

from __future__ import annotations

import shutil
from typing import TextIO

from core.cli import cells

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Synchronised output: terminals that know it show a frame at once, others ignore it."""


class Painter:
    """Owns the lower lines of a terminal. Each frame is one write, so that nothing flickers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn: list[str] = []

    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        try:
            found = _terminal_size(self._stream)
        except (OSError, ValueError):
            found = shutil.get_terminal_size()
        return max(found[0], 10), max(found[1], 3)

    def paint(self, above: list[str], block: list[str]) -> None:
        """Print ``above`` to stay, then ``block`` in place of the block before."""
        if not above and block == self._drawn:
            return
        self._write(self._erase() + "".join(f"{line}\x1b[K\n" for line in above) + _joined(block))
        self._drawn = list(block)

    def clear(self) -> None:
        """Remove the block; the cursor stands where it began."""
        if self._drawn:
            self._write(self._erase() + "\x1b[J")
            self._drawn = []

    def _erase(self) -> str:
        """To the first cell of the block, as many rows as it takes at the width of now."""
        if not self._drawn:
            return "\r"
        columns = self.size()[0]
        rows = sum(max(1, -(-cells.width(line) // columns)) for line in self._drawn)
        return f"\r\x1b[{rows}A"

    def _write(self, text: str) -> None:
        self._stream.write(f"{_BEGIN}{text}{_END}")
        self._stream.flush()


def _joined(block: list[str]) -> str:
    return "".join(f"{line}\x1b[K\n" for line in block) + "\x1b[J"


def _terminal_size(stream: TextIO) -> tuple[int, int]:
    import os

    columns, lines = os.get_terminal_size(stream.fileno())
    if columns <= 0 or lines <= 0:
        raise OSError("the terminal does not know its size")
    return columns, lines

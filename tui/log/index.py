"""Where the lines of a growing file are, without keeping anything per line.

For each block of 64 KiB one number is kept (line breaks before it), and the colours in force there if
they are not the default ones: some hundred kilobytes for a file of gigabytes.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections import OrderedDict
from pathlib import Path

from tui.log.sgr import PLAIN, Sgr, fold

BLOCK = 1 << 16
_CACHED_BLOCKS = 16
_LONGEST_SEQUENCE = 64


class LogIndex:
    """One file, which need not exist yet. ``close`` it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self.size = 0
        """Bytes that are indexed."""
        self._breaks = 0
        self._ends_line = True
        self._before: array[int] = array("Q", [0])
        self._colours: dict[int, Sgr] = {}
        self._state = PLAIN
        self._carry = b""
        self._cache: OrderedDict[int, array[int]] = OrderedDict()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def lines(self) -> int:
        """Lines so far; one without its line break counts."""
        return self._breaks + (not self._ends_line)

    def extend(self, limit: int = 8 << 20) -> bool:
        """Index at most ``limit`` more bytes. True: there is more."""
        if not self._open():
            return False
        size = os.fstat(self._file).st_size
        if size < self.size:
            self._restart()
        goal = min(size, self.size + limit)
        while self.size < goal:
            # Blocks are filled to their end, so that each begins at a multiple of its size.
            data = os.pread(self._file, min(BLOCK - self.size % BLOCK, goal - self.size), self.size)
            if not data:
                break
            self._take(data)
        return self.size < size

    def span(self, number: int) -> tuple[int, int]:
        """Where line ``number`` (from 0) begins and ends, without its line break."""
        start = self._start(number)
        end = self._start(number + 1) - 1 if number < self._breaks else self.size
        return start, end

    def read(self, start: int, length: int) -> bytes:
        length = max(0, min(length, self.size - start))
        return os.pread(self._file, length, start) if self._file >= 0 and length else b""

    def state_at(self, offset: int) -> Sgr:
        """The colours in force at ``offset``: what the lines before it have left."""
        block = offset // BLOCK
        # A sequence may have begun in the block before. Those there that are complete are applied once
        # more, which changes nothing: they set, and never toggle.
        start = max(0, block * BLOCK - _LONGEST_SEQUENCE)
        state = self._colours.get(block, PLAIN)
        return fold(state, self.read(start, offset - start))

    def line_at(self, offset: int) -> int:
        """The number of the line that holds the byte at ``offset``."""
        block = min(offset // BLOCK, len(self._before) - 1)
        breaks = self._block(block)
        return self._before[block] + bisect_left(breaks, offset - block * BLOCK)

    def _open(self) -> bool:
        if self._file < 0:
            try:
                self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return False
        return True

    def _restart(self) -> None:
        """The file was replaced by a shorter one."""
        self.size, self._breaks, self._ends_line = 0, 0, True
        self._before = array("Q", [0])
        self._colours.clear()
        self._cache.clear()
        self._state, self._carry = PLAIN, b""

    def _take(self, data: bytes) -> None:
        self._cache.pop(self.size // BLOCK, None)
        self._breaks += data.count(b"\n")
        self._ends_line = data.endswith(b"\n")
        self.size += len(data)
        text = self._carry + data
        cut = text.rfind(b"\x1b", max(0, len(text) - _LONGEST_SEQUENCE))
        # A sequence may be cut by the end of what was read: it is looked at again with what follows.
        if cut >= 0 and not _complete(text[cut:]):
            self._state, self._carry = fold(self._state, text[:cut]), text[cut:]
        else:
            self._state, self._carry = fold(self._state, text), b""
        if self.size % BLOCK == 0:
            self._before.append(self._breaks)
            if self._state != PLAIN:
                self._colours[self.size // BLOCK] = self._state

    def _start(self, number: int) -> int:
        if number <= 0:
            return 0
        block = max(0, bisect_left(self._before, number) - 1)
        breaks = self._block(block)
        return block * BLOCK + breaks[number - self._before[block] - 1] + 1

    def _block(self, block: int) -> array[int]:
        """Where the line breaks of a block are."""
        found = self._cache.get(block)
        if found is not None:
            self._cache.move_to_end(block)
            return found
        data = self.read(block * BLOCK, BLOCK)
        breaks: array[int] = array("I")
        at = data.find(b"\n")
        while at >= 0:
            breaks.append(at)
            at = data.find(b"\n", at + 1)
        self._cache[block] = breaks
        if len(self._cache) > _CACHED_BLOCKS:
            self._cache.popitem(last=False)
        return breaks


def _complete(text: bytes) -> bool:
    """Whether a sequence that begins with ESC has its end."""
    if len(text) < 2:
        return False
    if text[1:2] != b"[":
        return True
    return any(0x40 <= byte <= 0x7E for byte in text[2:])

"""The bytes that a terminal sends, cut into keys, pastes, mouse events and reports. Nothing is changed."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import NamedTuple

PASTE_BEGIN, PASTE_END = b"\x1b[200~", b"\x1b[201~"

_LONGEST = 64
"""Bytes of a sequence; what goes on for longer is no sequence, and is let through as it came."""


class Kind(enum.Enum):
    KEY = enum.auto()
    PASTE = enum.auto()
    """Without the brackets."""
    MOUSE = enum.auto()
    REPORT = enum.auto()
    """An answer of the terminal, or news of its focus and size."""


class Token(NamedTuple):
    kind: Kind
    data: bytes


_MOUSE = re.compile(rb"\x1b\[(?:<[\d;-]*[Mm]|M...|\d+;\d+;\d+M)", re.DOTALL)
_REPORT = re.compile(
    rb"\x1b\[(?:[IO]|\?[\d;]*\$y|\?[\d;]*[uc]|>[\d;]*[cm]|48(?:;[\d:]+){4}t|\d+;\d+;\d+t)", re.DOTALL
)


class Splitter:
    """Keeps what is incomplete until more comes, or until ``flush`` says that no more will."""

    def __init__(self) -> None:
        self._rest = b""
        self._paste: bytearray | None = None

    @property
    def pending(self) -> bool:
        """The last byte may be a key, or the beginning of more."""
        return bool(self._rest) and self._paste is None

    def feed(self, data: bytes) -> list[Token]:
        return self._cut(data, final=False)

    def flush(self) -> list[Token]:
        """What waited for more is all there is: escape, or alt with a bracket."""
        return self._cut(b"", final=True) if self.pending else []

    def _cut(self, data: bytes, *, final: bool) -> list[Token]:
        data, self._rest = self._rest + data, b""
        tokens: list[Token] = []
        at = 0
        while at < len(data):
            if self._paste is not None:
                at = self._take_paste(data, at, tokens)
                continue
            end = _end(data, at)
            if end is None:
                if not final:
                    self._rest = data[at:]
                    break
                end = len(data)
            piece = data[at:end]
            at = end
            if piece == PASTE_BEGIN:
                self._paste = bytearray()
            elif piece != PASTE_END:
                tokens.append(Token(_kind(piece), piece))
        return tokens

    def _take_paste(self, data: bytes, at: int, tokens: list[Token]) -> int:
        """Up to the end of the paste, or of what there is of it."""
        assert self._paste is not None
        found = data.find(PASTE_END, at)
        if found < 0:
            # The end of the brackets may have been cut.
            keep = next((n for n in range(len(PASTE_END) - 1, 0, -1) if data.endswith(PASTE_END[:n])), 0)
            keep = min(keep, len(data) - at)
            self._paste += data[at : len(data) - keep]
            self._rest = data[len(data) - keep :] if keep else b""
            return len(data)
        tokens.append(Token(Kind.PASTE, bytes(self._paste + data[at:found])))
        self._paste = None
        return found + len(PASTE_END)


def _kind(piece: bytes) -> Kind:
    if not piece.startswith(b"\x1b["):
        return Kind.KEY
    if _MOUSE.fullmatch(piece):
        return Kind.MOUSE
    return Kind.REPORT if _REPORT.fullmatch(piece) else Kind.KEY


def _end(data: bytes, at: int) -> int | None:
    """Where the key that begins at ``at`` ends; None where more has to come."""
    first = data[at]
    if first != 0x1B:
        return _text_end(data, at)
    if at + 1 == len(data):
        return None
    second = data[at + 1]
    if second == 0x1B:
        return at + 1
    if second == ord("["):
        return _control_end(data, at)
    if second == ord("O"):
        return _final(data, at + 2, range(0x30, 0x3C))
    length = _length(second)
    return at + 1 + length if at + 1 + length <= len(data) else None


def _text_end(data: bytes, at: int) -> int | None:
    """Controls are keys of their own; characters that follow one another are one piece."""
    if data[at] < 0x20 or data[at] == 0x7F:
        return at + 1
    end = at
    while end < len(data) and data[end] >= 0x20 and data[end] != 0x7F:
        length = _length(data[end])
        if end + length > len(data):
            return end if end > at else None
        end += length
    return end


def _length(first: int) -> int:
    """Bytes of a character of UTF-8 with that first byte."""
    return 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4


def _control_end(data: bytes, at: int) -> int | None:
    if data[at + 2 : at + 3] == b"M":
        return at + 6 if len(data) >= at + 6 else None
    if data[at + 2 : at + 3] == b"[":
        # The console of Linux: F1 to F5.
        return at + 4 if len(data) >= at + 4 else None
    return _final(data, at + 2, range(0x20, 0x40))


def _final(data: bytes, at: int, parameters: Iterable[int]) -> int | None:
    """Behind the parameters and the final character."""
    begin, inner = at - 2, frozenset(parameters)
    while at < len(data) and data[at] in inner and at - begin < _LONGEST:
        at += 1
    if at == len(data):
        return None
    # A control in the middle is a key of its own.
    return at + 1 if 0x20 <= data[at] < 0x7F else at

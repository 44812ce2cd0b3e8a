"""Where in a TOML source each value stands: tomllib does not say, and errors need it.

The scanner is run on sources that tomllib has accepted, so it need not judge them; it only keeps
count. It follows TOML 1.1, which is 1.0 with line breaks allowed in inline tables.
"""

from __future__ import annotations

import bisect
import re
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and array indices from the top, e.g. ``("machines", "web", "ports", 0, "guest")``."""

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_LITERAL = re.compile(r"'([^'\n]*)'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([btnfre"\\]))')
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


class Spot(NamedTuple):
    """Offsets, in characters, of a key and of its value (the same for a table's header)."""

    key: int
    value: int


class Positions:
    """The spots of all values of one source, by path."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", source))]
        self.spots = _Scanner(source).scan()

    def key(self, path: Path) -> tuple[int, int, str]:
        """Line, column (from 1) and text of the line where the key of ``path`` stands.

        For something that is not there: of the nearest table around it.
        """
        return self.at(self._nearest(path).key)

    def value(self, path: Path) -> tuple[int, int, str]:
        """The same, for the value."""
        return self.at(self._nearest(path).value)

    def at(self, offset: int) -> tuple[int, int, str]:
        """Line, column and text of the line of an offset."""
        line = bisect.bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        end = self._source.find("\n", start)
        text = self._source[start : end if end >= 0 else len(self._source)].rstrip("\r")
        return line, offset - start + 1, text

    def _nearest(self, path: Path) -> Spot:
        while path:
            if path in self.spots:
                return self.spots[path]
            path = path[:-1]
        return Spot(0, 0)


class _Scanner:
    def __init__(self, source: str) -> None:
        self.source = source
        self.offset = 0
        self.spots: dict[Path, Spot] = {}
        self.lengths: dict[Path, int] = {}
        """Of arrays of tables, so far."""

    def scan(self) -> dict[Path, Spot]:
        table: Path = ()
        self._skip(_GAP)
        while self.offset < len(self.source):
            before = self.offset
            if self._looking_at("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)
            if self.offset == before:
                self.offset += 1
        return self.spots

    def _looking_at(self, text: str) -> bool:
        return self.source.startswith(text, self.offset)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.source, self.offset)
        if found is None:
            return ""
        self.offset = found.end()
        return found.group()

    def _header(self) -> Path:
        many = self._looking_at("[[")
        self.offset += 2 if many else 1
        keys = self._dotted_key()
        self._skip(re.compile(r"\]\]?"))
        table: Path = ()
        for number, (key, spot) in enumerate(keys, start=1):
            table = (*table, key)
            self.spots.setdefault(table, Spot(spot, spot))
            if many and number == len(keys):
                self.lengths[table] = self.lengths.get(table, 0) + 1
            if table in self.lengths:
                table = (*table, self.lengths[table] - 1)
                self.spots.setdefault(table, Spot(spot, spot))
        return table

    def _pair(self, table: Path) -> None:
        keys = self._dotted_key()
        self._skip(re.compile("="))
        self._skip(_GAP)
        path = table
        for key, spot in keys[:-1]:
            path = (*path, key)
            self.spots.setdefault(path, Spot(spot, spot))
        if keys:
            last, spot = keys[-1]
            self.spots.setdefault((*path, last), Spot(spot, self.offset))
            self._value((*path, last))

    def _dotted_key(self) -> list[tuple[str, int]]:
        keys: list[tuple[str, int]] = []
        while True:
            self._skip(_BLANK)
            start = self.offset
            if self._looking_at('"'):
                key = _unescape(self._skip(_BASIC)[1:-1])
            elif self._looking_at("'"):
                key = self._skip(_LITERAL)[1:-1]
            else:
                key = self._skip(_BARE_KEY)
            if self.offset == start:
                return keys
            keys.append((key, start))
            self._skip(_BLANK)
            if not self._looking_at("."):
                return keys
            self.offset += 1

    def _value(self, path: Path) -> None:
        for opening, pattern in (
            ('"""', _LONG_BASIC),
            ("'''", _LONG_LITERAL),
            ('"', _BASIC),
            ("'", _LITERAL),
        ):
            if self._looking_at(opening):
                self._skip(pattern)
                return
        if self._looking_at("["):
            self._array(path)
        elif self._looking_at("{"):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self.offset += 1
        number = 0
        while self._another("]"):
            self.spots[(*path, number)] = Spot(self.offset, self.offset)
            self._value((*path, number))
            number += 1

    def _inline_table(self, path: Path) -> None:
        self.offset += 1
        while self._another("}"):
            self._pair(path)

    def _another(self, closing: str) -> bool:
        """Step over what stands between items; False (and past it) at the closing bracket or the end."""
        self._skip(_GAP)
        if self._looking_at(","):
            self.offset += 1
            self._skip(_GAP)
        if self.offset >= len(self.source):
            return False
        if self._looking_at(closing):
            self.offset += 1
            return False
        return True


def _unescape(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else _ESCAPED[found[4]]

    return _ESCAPE.sub(plain, text)

"""What a type library of XPCOM says of the calls that its interfaces have."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_IN = 0x80
_PROPERTY = 0xC0
_INTERFACE, _INTERFACE_IS, _ARRAY = 18, 19, 20
_SIZED = (21, 22)


class Typelib:
    """Version 1.2, as VirtualBox has it: numbers have their highest byte first, and places count from one,
    from the beginning of the pool of data."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        assert self._data.startswith(b"XPCOM\nTypeLib\r\n\x1a"), path
        (count,) = struct.unpack_from(">H", self._data, 18)
        directory, self._pool = struct.unpack_from(">II", self._data, 24)
        rows = [struct.unpack_from(">III", self._data, directory - 1 + 28 * row + 16) for row in range(count)]
        self._places = [self._pool + place - 1 for _name, _space, place in rows if place]

    def calls(self) -> dict[str, set[int]]:
        """How many arguments each is given, by its name; an array is one, its length none."""
        found: dict[str, set[int]] = {}
        for place in self._places:
            for name, given in self._methods(place):
                found.setdefault(name, set()).add(given)
        return found

    def _methods(self, place: int) -> Iterator[tuple[str, int]]:
        _parent, count = struct.unpack_from(">HH", self._data, place)
        place += 4
        for _ in range(count):
            flags, name, parameters = struct.unpack_from(">BIB", self._data, place)
            place += 6
            given = 0
            for _ in range(parameters):
                array = self._data[place + 1] & 0x1F == _ARRAY
                given += 0 if array or not self._data[place] & _IN else 1
                place = self._after(place + 1)
            place = self._after(place + 1)
            if not flags & _PROPERTY:
                yield self._text(name), given

    def _after(self, place: int) -> int:
        """Where the type that stands there ends."""
        kind = self._data[place] & 0x1F
        if kind == _ARRAY:
            return self._after(place + 3)
        return place + {_INTERFACE: 3, _INTERFACE_IS: 2, **dict.fromkeys(_SIZED, 3)}.get(kind, 1)

    def _text(self, place: int) -> str:
        begin = self._pool + place - 1
        return self._data[begin : self._data.index(b"\0", begin)].decode()

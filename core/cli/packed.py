"""MessagePack, as much of it as the engine's answers need, without any import.

The rest of the program uses msgspec, which is faster with much data and slower with little: importing
it takes longer than all that ``status`` does.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Record(dict[str, object]):
    """A map whose keys are also attributes, as those of the structs that it stands for."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def pack(value: object) -> bytes:
    """Maps with text keys, text and small positive numbers. Raises TypeError for anything else."""
    if isinstance(value, int) and 0 <= value < 128:
        return bytes((value,))
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        return b"\xdb" + struct.pack(">I", len(data)) + data
    if isinstance(value, Mapping):
        parts = [pack(part) for item in value.items() for part in item]
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(parts)
    raise TypeError(f"{value!r} cannot be packed")


def unpack(data: bytes) -> object:
    """The one value that ``data`` holds; maps become Records. Raises ValueError where it is cut, is
    followed by something else, or is of a kind that answers do not have."""
    try:
        value, end = _read(data, 0)
    except (struct.error, IndexError) as error:
        raise ValueError(f"cut: {error}") from None
    if end != len(data):
        raise ValueError("more than one value")
    return value


_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_SIZES = {
    0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I",
    0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I",
}  # fmt: skip
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def _read(data: bytes, at: int) -> tuple[object, int]:
    kind = data[at]
    at += 1
    if kind < 0x80:
        return kind, at
    if kind >= 0xE0:
        return kind - 256, at
    if kind < 0x90:
        return _map(data, at, kind & 15)
    if kind < 0xA0:
        return _list(data, at, kind & 15)
    if kind < 0xC0:
        return _text(data, at, kind & 31)
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind in _NUMBERS:
        form = _NUMBERS[kind]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if kind not in _SIZES:
        raise ValueError(f"unknown kind {kind:#x}")
    form = _SIZES[kind]
    size = struct.unpack_from(form, data, at)[0]
    at += struct.calcsize(form)
    if kind <= 0xC6:
        return _bytes(data, at, size), at + size
    if kind <= 0xDB:
        return _text(data, at, size)
    return _list(data, at, size) if kind <= 0xDD else _map(data, at, size)


def _bytes(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError("the text is longer than the data")
    return data[at : at + size]


def _text(data: bytes, at: int, size: int) -> tuple[str, int]:
    return _bytes(data, at, size).decode("utf-8", "surrogateescape"), at + size


def _list(data: bytes, at: int, size: int) -> tuple[list[object], int]:
    values = []
    for _ in range(size):
        value, at = _read(data, at)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, size: int) -> tuple[Record, int]:
    record = Record()
    for _ in range(size):
        key, at = _read(data, at)
        value, at = _read(data, at)
        record[str(key)] = value
    return record, at

"""What xterm sends for its keys, as its documentation of control sequences has it: "PC-Style Function Keys",
"VT220-Style Function Keys", and the two ways in which it tells other keys that are modified."""

from __future__ import annotations

from collections.abc import Iterator

_CURSOR = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_FIRST = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_TILDE = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6,
    "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20, "f10": 21, "f11": 23, "f12": 24,
}  # fmt: skip
_MODIFIERS = {
    2: "shift", 3: "alt", 4: "shift+alt", 5: "ctrl", 6: "shift+ctrl", 7: "alt+ctrl", 8: "shift+alt+ctrl",
}  # fmt: skip


def table() -> dict[str, bytes]:
    """By name; no two are the same."""
    found: dict[str, bytes] = {}
    for name, sequence in (*_function_keys(), *_controls(), *_characters(), *_others()):
        if sequence not in found.values():
            found[name] = sequence
    return found


def _function_keys() -> Iterator[tuple[str, bytes]]:
    for name, end in _CURSOR.items():
        yield name, f"\x1b[{end}".encode()
        yield f"{name} (application)", f"\x1bO{end}".encode()
    for name, end in _FIRST.items():
        yield name, f"\x1bO{end}".encode()
    for name, number in _TILDE.items():
        yield name, f"\x1b[{number}~".encode()
    for code, modifier in _MODIFIERS.items():
        for name, end in (_CURSOR | _FIRST).items():
            yield f"{modifier}+{name}", f"\x1b[1;{code}{end}".encode()
        for name, number in _TILDE.items():
            yield f"{modifier}+{name}", f"\x1b[{number};{code}~".encode()


def _controls() -> Iterator[tuple[str, bytes]]:
    for code in (*range(32), 127):
        name = f"ctrl+{chr(code + 64).lower()}" if code < 32 else "backspace"
        yield name, bytes([code])
        if code not in (0x1B, 0x18, 0x1A):
            # Escape twice is two keys; the others end sequences.
            yield f"alt+{name}", bytes([0x1B, code])
    yield "shift+tab", b"\x1b[Z"


def _characters() -> Iterator[tuple[str, bytes]]:
    for code in range(32, 127):
        # Alone, these two begin longer sequences.
        yield f"alt+{chr(code)}", bytes([0x1B, code])
    for character in "aZ09 éß€中😀":
        yield character, character.encode()
    yield "alt+é", "\x1bé".encode()


def _others() -> Iterator[tuple[str, bytes]]:
    """modifyOtherKeys, and with formatOtherKeys."""
    for code in (5, 6, 7):
        for character in "1;=-.\r\t]":
            yield f"{_MODIFIERS[code]}+{character!r}", f"\x1b[27;{code};{ord(character)}~".encode()
    for character in "1iIm\r\t ":
        yield f"ctrl+{character!r} (as u)", f"\x1b[{ord(character)};5u".encode()

"""Keys of Textual as xterm sends them."""

from __future__ import annotations

import unicodedata

_CURSOR = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_TILDE = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6,
    "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20, "f10": 21, "f11": 23, "f12": 24,
    "f13": 25, "f14": 26, "f15": 28, "f16": 29, "f17": 31, "f18": 32, "f19": 33, "f20": 34,
}  # fmt: skip
_FUNCTION = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_PLAIN = {"enter": b"\r", "tab": b"\t", "escape": b"\x1b", "backspace": b"\x7f", "space": b" "}
_CONTROL = {
    "at": 0, "space": 0, "left_square_bracket": 27, "backslash": 28, "right_square_bracket": 29,
    "circumflex_accent": 30, "underscore": 31, "slash": 31, "minus": 31, "question_mark": 127,
    "backspace": 8,
}  # fmt: skip
_MODIFIERS = {"shift": 1, "alt": 2, "ctrl": 4, "super": 8, "meta": 8}


def split(key: str) -> tuple[str, frozenset[str]]:
    """``ctrl+shift+up`` -> ("up", {"ctrl", "shift"})."""
    *modifiers, name = key.split("+")
    return name, frozenset(modifiers)


def encode(key: str, character: str | None, *, application: bool = False) -> bytes:
    """``application``: the guest asked for the other kind of cursor keys (DECCKM). b"" for keys
    that a terminal cannot tell."""
    name, modifiers = split(key)
    number = 1 + sum(_MODIFIERS.get(modifier, 0) for modifier in modifiers)
    prefix = b"\x1b" if "alt" in modifiers else b""
    if name in _CURSOR:
        if number > 1:
            return f"\x1b[1;{number}{_CURSOR[name]}".encode()
        return f"\x1b{'O' if application else '['}{_CURSOR[name]}".encode()
    if name in _FUNCTION:
        return (f"\x1b[1;{number}{_FUNCTION[name]}" if number > 1 else f"\x1bO{_FUNCTION[name]}").encode()
    if name in _TILDE:
        return (f"\x1b[{_TILDE[name]};{number}~" if number > 1 else f"\x1b[{_TILDE[name]}~").encode()
    if name == "tab" and "shift" in modifiers:
        return b"\x1b[Z"
    if "ctrl" in modifiers:
        code = _control(name)
        return prefix + bytes([code]) if code is not None else _PLAIN.get(name, b"")
    if name in _PLAIN:
        return prefix + _PLAIN[name]
    if character and character.isprintable():
        return prefix + character.encode()
    if len(name) == 1:
        return prefix + name.encode()
    return b""


_CODES = {"escape": 27, "enter": 13, "tab": 9, "backspace": 127, "space": 32}
_DISAMBIGUATE, _EVERYTHING = 1, 8


def encode_kitty(key: str, character: str | None, flags: int) -> bytes:
    """Keys that the kitty protocol tells in another way than xterm, as far as ``flags`` ask for it; b"" for
    the others."""
    name, modifiers = split(key)
    number = 1 + sum(_MODIFIERS.get(modifier, 0) for modifier in modifiers)
    code = _CODES.get(name)
    if code is None and character and len(character) == 1 and character.isprintable():
        code = ord(character.lower())
    if code is None and len(name) == 1:
        code = ord(name.lower())
    if code is None:
        return b""
    wanted = flags & _EVERYTHING or (
        flags & _DISAMBIGUATE
        and (name == "escape" or modifiers - {"shift"} or (name in _CODES and modifiers))
    )
    if not wanted or (name == "space" and not modifiers and not flags & _EVERYTHING):
        return b""
    return (f"\x1b[{code};{number}u" if number > 1 else f"\x1b[{code}u").encode()


def _control(name: str) -> int | None:
    if len(name) == 1 and name.isascii() and name.isalpha():
        return ord(name.lower()) - 96
    return _CONTROL.get(name)


def pasted(text: str, *, bracketed: bool) -> bytes:
    """Line breaks become returns, as if typed. In brackets nothing may end the brackets early."""
    text = text.replace("\r\n", "\r").replace("\n", "\r")
    if not bracketed:
        return text.replace("\x1b", "").encode("utf-8", "replace")
    return b"\x1b[200~" + text.replace("\x1b", "").encode("utf-8", "replace") + b"\x1b[201~"


def sequences(key: str) -> frozenset[bytes]:
    """Everything that a terminal may send for a key: as xterm, with its other keys modified, or kitty."""
    found = {encode(key, None)} - {b""}
    name, modifiers = split(key)
    point = _CODES.get(name) or _point(name)
    if point:
        number = 1 + sum(_MODIFIERS.get(modifier, 0) for modifier in modifiers)
        found |= {f"\x1b[{point};{number}u".encode(), f"\x1b[27;{number};{point}~".encode()}
    return frozenset(found)


def _point(name: str) -> int:
    """The character that a name of Textual stands for; 0 for other keys."""
    if len(name) == 1:
        return ord(name)
    try:
        return ord(unicodedata.lookup(name.replace("_", " ")))
    except KeyError:
        return 0

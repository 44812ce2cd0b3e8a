"""Packer's language for what is typed while a machine boots: ``<esc><wait5>auto<enter>``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from core.builds.settings import duration

Turn = Literal["press", "down", "up"]


class Key(msgspec.Struct, frozen=True):
    """A key, by X11's number for it. ``shifted``: with the shift key held."""

    symbol: int
    turn: Turn = "press"
    shifted: bool = False
    name: str = ""


class Wait(msgspec.Struct, frozen=True):
    seconds: float


Piece = Key | Wait

SHIFT = 0xFFE1
_SPECIAL = {
    "bs": 0xFF08, "del": 0xFFFF, "down": 0xFF54, "end": 0xFF57, "enter": 0xFF0D, "esc": 0xFF1B,
    "f1": 0xFFBE, "f2": 0xFFBF, "f3": 0xFFC0, "f4": 0xFFC1, "f5": 0xFFC2, "f6": 0xFFC3, "f7": 0xFFC4,
    "f8": 0xFFC5, "f9": 0xFFC6, "f10": 0xFFC7, "f11": 0xFFC8, "f12": 0xFFC9, "home": 0xFF50,
    "insert": 0xFF63, "left": 0xFF51, "leftalt": 0xFFE9, "leftctrl": 0xFFE3, "leftshift": SHIFT,
    "leftsuper": 0xFFEB, "menu": 0xFF67, "pagedown": 0xFF56, "pageup": 0xFF55, "return": 0xFF0D,
    "right": 0xFF53, "rightalt": 0xFFEA, "rightctrl": 0xFFE4, "rightshift": 0xFFE2,
    "rightsuper": 0xFFEC, "spacebar": 0x020, "tab": 0xFF09, "up": 0xFF52,
}  # fmt: skip
_SHIFTED = '~!@#$%^&*()_+{}|:"<>?'
_WAIT = re.compile(r"<wait((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+|\d+)?>", re.IGNORECASE)
_NAMED = re.compile(r"<([a-z0-9]+?)(on|off)?>", re.IGNORECASE)
_TOGGLE = re.compile(r"<(.)(on|off)>", re.IGNORECASE)


def parse(text: str) -> tuple[Piece, ...]:
    """What is typed, in order. Whatever stands in ``<>`` and has no meaning is typed as it is."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    place = 0
    while place < len(text):
        found = _piece(text, place)
        if found is None:
            yield character(text[place])
            place += 1
        else:
            piece, place = found
            yield piece


def _piece(text: str, place: int) -> tuple[Piece, int] | None:
    if text[place] != "<":
        return None
    wait = _WAIT.match(text, place)
    if wait is not None:
        given = wait[1] or "1"
        return Wait(float(given) if given.isdigit() else duration(given.lower())), wait.end()
    named = _NAMED.match(text, place)
    if named is not None:
        # "<leftAltOn>" is leftAlt and On; there is no key whose own name ends so.
        turn: Turn = "press" if named[2] is None else "down" if named[2].lower() == "on" else "up"
        symbol = _SPECIAL.get(named[1].lower())
        if symbol is not None:
            return Key(symbol, turn, name=named[1]), named.end()
    toggle = _TOGGLE.match(text, place)
    if toggle is not None:
        key = character(toggle[1])
        turn = "down" if toggle[2].lower() == "on" else "up"
        return Key(key.symbol, turn, key.shifted, key.name), toggle.end()
    return None


def character(letter: str) -> Key:
    """The key of a character, as a keyboard of the United States has it."""
    if letter == "\n":
        return Key(_SPECIAL["enter"], name="enter")
    if letter == "\t":
        return Key(_SPECIAL["tab"], name="tab")
    code = ord(letter)
    symbol = code if code < 0x100 else 0x01000000 | code
    return Key(symbol, shifted=letter.isupper() or letter in _SHIFTED, name=letter)


def seconds(pieces: tuple[Piece, ...], interval: float) -> float:
    """How long typing it takes."""
    return sum(piece.seconds if isinstance(piece, Wait) else 2 * interval for piece in pieces)

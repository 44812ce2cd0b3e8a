"""Keys as xterm sends them."""

from __future__ import annotations

import pytest

from tui.console.keys import encode, encode_kitty, pasted


@pytest.mark.parametrize(
    ("key", "character", "data"),
    [
        ("a", "a", b"a"),
        ("A", "A", b"A"),
        ("é", "é", "é".encode()),
        ("space", " ", b" "),
        ("enter", "\r", b"\r"),
        ("tab", "\t", b"\t"),
        ("shift+tab", None, b"\x1b[Z"),
        ("escape", "\x1b", b"\x1b"),
        ("backspace", "\x7f", b"\x7f"),
        ("delete", None, b"\x1b[3~"),
        ("ctrl+c", "\x03", b"\x03"),
        ("ctrl+p", "\x10", b"\x10"),
        ("ctrl+q", "\x11", b"\x11"),
        ("ctrl+z", "\x1a", b"\x1a"),
        ("ctrl+at", "\x00", b"\x00"),
        ("ctrl+backslash", "\x1c", b"\x1c"),
        ("ctrl+underscore", "\x1f", b"\x1f"),
        ("up", None, b"\x1b[A"),
        ("ctrl+right", None, b"\x1b[1;5C"),
        ("shift+left", None, b"\x1b[1;2D"),
        ("alt+up", None, b"\x1b[1;3A"),
        ("ctrl+shift+end", None, b"\x1b[1;6F"),
        ("pageup", None, b"\x1b[5~"),
        ("ctrl+pagedown", None, b"\x1b[6;5~"),
        ("f1", None, b"\x1bOP"),
        ("shift+f1", None, b"\x1b[1;2P"),
        ("f5", None, b"\x1b[15~"),
        ("f12", None, b"\x1b[24~"),
        ("alt+b", "b", b"\x1bb"),
        ("alt+enter", None, b"\x1b\r"),
        ("alt+backspace", None, b"\x1b\x7f"),
        ("question_mark", "?", b"?"),
        ("some_unknown_key", None, b""),
    ],
)
def test_a_key(key: str, character: str | None, data: bytes) -> None:
    assert encode(key, character) == data


def test_cursor_keys_of_an_application() -> None:
    assert encode("home", None, application=True) == b"\x1bOH"
    assert encode("ctrl+up", None, application=True) == b"\x1b[1;5A"


def test_kitty_tells_apart_what_was_the_same() -> None:
    assert encode_kitty("ctrl+i", None, 1) == b"\x1b[105;5u"
    assert encode_kitty("tab", "\t", 1) == b""
    assert encode_kitty("a", "a", 8) == b"\x1b[97u"
    assert encode_kitty("shift+enter", None, 1) == b"\x1b[13;2u"


def test_a_paste_without_brackets_holds_no_escapes() -> None:
    assert pasted("a\r\nb\x1b[2J", bracketed=False) == b"a\rb[2J"

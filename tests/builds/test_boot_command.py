"""The language of boot commands is Packer's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builds.qemu.boot_command import SHIFT, Key, Wait, character, parse


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a", (Key(0x61, name="a"),)),
        ("A", (Key(0x41, shifted=True, name="A"),)),
        ("<enter>", (Key(0xFF0D, name="enter"),)),
        ("<ESC><wait>", (Key(0xFF1B, name="ESC"), Wait(1.0))),
        ("<wait5><wait10s><wait1m30s>", (Wait(5.0), Wait(10.0), Wait(90.0))),
        ("<leftCtrlOn>c<leftCtrlOff>", (
            Key(0xFFE3, "down", name="leftCtrl"), Key(0x63, name="c"), Key(0xFFE3, "up", name="leftCtrl"),
        )),
        ("<f2><f12>", (Key(0xFFBF, name="f2"), Key(0xFFC9, name="f12"))),
        ("<aOn><aOff>", (Key(0x61, "down", name="a"), Key(0x61, "up", name="a"))),
        ("<leftShiftOn>", (Key(SHIFT, "down", name="leftShift"),)),
        ("<no>", tuple(character(letter) for letter in "<no>")),
        ("{\"'", (
            Key(0x7B, shifted=True, name="{"), Key(0x22, shifted=True, name='"'), Key(0x27, name="'"),
        )),
    ],
)  # fmt: skip
def test_pieces(text: str, pieces: tuple[Key | Wait, ...]) -> None:
    assert parse(text) == pieces


@given(st.text(max_size=80))
def test_every_text_can_be_typed(text: str) -> None:
    parse(text)


@given(st.text(alphabet=st.characters(exclude_characters="<"), max_size=40))
def test_plain_text_is_typed_letter_by_letter(text: str) -> None:
    assert parse(text) == tuple(character(letter) for letter in text)

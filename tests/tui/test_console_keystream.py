"""Bytes of a terminal, cut into keys: nothing is lost, nothing is changed, wherever the blocks end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.xterm_keys import table
from tui.console.keys import sequences
from tui.console.keystream import Kind, Splitter, Token

KEYS = list(table().values())
NOT_KEYS = {
    b"\x1b[I": Kind.REPORT,
    b"\x1b[O": Kind.REPORT,
    b"\x1b[?2026;2$y": Kind.REPORT,
    b"\x1b[48;40;120;800;1200t": Kind.REPORT,
    b"\x1b[?1u": Kind.REPORT,
    b"\x1b[<0;3;4M": Kind.MOUSE,
    b"\x1b[<35;300;4m": Kind.MOUSE,
    b"\x1b[32;10;20M": Kind.MOUSE,
    b"\x1b[M !!": Kind.MOUSE,
}


def cut(data: bytes, *places: int) -> list[Token]:
    splitter = Splitter()
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    tokens = [token for a, b in pairwise(edges) for token in splitter.feed(data[a:b])]
    return tokens + splitter.flush()


@pytest.mark.parametrize("key", KEYS, ids=list(table()))
def test_a_key_is_one_piece(key: bytes) -> None:
    assert cut(key) == [Token(Kind.KEY, key)]


@pytest.mark.parametrize("data", NOT_KEYS)
def test_what_is_no_key_is_told_apart(data: bytes) -> None:
    assert cut(b"a" + data + b"b") == [
        Token(Kind.KEY, b"a"), Token(NOT_KEYS[data], data), Token(Kind.KEY, b"b"),
    ]  # fmt: skip


@given(st.lists(st.sampled_from([*KEYS, *NOT_KEYS]), max_size=30), st.lists(st.integers(0, 500), max_size=8))
def test_pieces_are_the_whole_wherever_blocks_end(typed: list[bytes], places: list[int]) -> None:
    data = b"".join(typed)
    assert b"".join(token.data for token in cut(data, *places)) == data


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_any_bytes_come_out_as_they_went_in(data: bytes, places: list[int]) -> None:
    if b"\x1b[20" in data:
        return
    assert b"".join(token.data for token in cut(data, *places)) == data


@given(st.text(max_size=100), st.lists(st.integers(0, 300), max_size=8))
def test_a_paste_is_one_piece(text: str, places: list[int]) -> None:
    inner = text.encode().replace(b"\x1b", b"")
    data = b"a\x1b[200~" + inner + b"\x1b[201~b"
    assert cut(data, *places) == [Token(Kind.KEY, b"a"), Token(Kind.PASTE, inner), Token(Kind.KEY, b"b")]


def test_escape_alone_waits_for_what_may_follow() -> None:
    splitter = Splitter()
    assert splitter.feed(b"\x1b") == []
    assert splitter.pending
    assert splitter.flush() == [Token(Kind.KEY, b"\x1b")]
    assert not splitter.pending


def test_everything_that_may_stand_for_the_chord() -> None:
    assert sequences("ctrl+right_square_bracket") == {b"\x1d", b"\x1b[93;5u", b"\x1b[27;5;93~"}
    assert sequences("f12") == {b"\x1b[24~"}
    assert b"\x1c" in sequences("ctrl+backslash")

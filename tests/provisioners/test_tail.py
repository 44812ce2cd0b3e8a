"""The end of an output of any size, as plain text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.provisioners.tail import Tail


def tail_of(*blocks: bytes) -> tuple[str, ...]:
    tail = Tail()
    for block in blocks:
        tail.write(block)
    return tail.lines()


def test_the_last_twenty_lines_are_kept() -> None:
    text = b"".join(b"%d\n" % number for number in range(1000))
    assert tail_of(text) == tuple(str(number) for number in range(980, 1000))


def test_colours_and_redrawn_lines_become_what_was_shown_last() -> None:
    assert tail_of(b"\x1b[1;31mred\x1b[0m\r\n10%\r50%\r100%\n\x1b]0;title\x07x") == ("red", "100%", "x")


def test_ten_megabytes_in_a_line_cost_next_to_nothing() -> None:
    tail = Tail()
    for _ in range(160):
        tail.write(b"x" * 65536)
    (line,) = tail.lines()
    assert line == "…" + "x" * 400
    assert len(tail._kept) <= 16 * 1024


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_in_any_pieces_give_printable_lines(blocks: list[bytes]) -> None:
    lines = tail_of(*blocks)
    assert len(lines) <= 20
    assert all(len(line) <= 401 and "\x1b" not in line and "\n" not in line for line in lines)


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_pieces_make_no_difference(blocks: list[bytes]) -> None:
    assert tail_of(*blocks) == tail_of(b"".join(blocks))

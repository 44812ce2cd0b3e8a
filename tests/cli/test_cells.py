"""Text as a terminal counts it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.cli import cells
from core.cli.look import Look
from core.cli.table import table

FOREIGN = st.text(st.one_of(st.characters(), st.sampled_from("\x1b[]0;31mHJ\x07\r\t\x9b\\P_^")), max_size=80)


def test_colours_take_no_cells() -> None:
    assert cells.width("\x1b[1;31mred\x1b[0m") == 3


def test_wide_and_combining_characters_are_counted_as_terminals_do() -> None:
    assert cells.width("日本") == 4
    assert cells.width("e\u0301") == 1


def test_clipping_keeps_colours_and_ends_them() -> None:
    assert cells.clip("\x1b[31mabcdef\x1b[0m", 4) == "\x1b[31mabc\x1b[0m…"


def test_a_wide_character_that_does_not_fit_is_left_out() -> None:
    assert cells.clip("a日本語", 4) == "a日…"


def test_of_a_line_that_overwrote_itself_the_last_state_is_kept() -> None:
    assert cells.clean("10%\r55%\r100%\r\n") == "100%"


def test_only_colours_pass() -> None:
    foreign = "\x1b[2J\x1b]0;title\x07\x1b[32mgreen\x1b[0m\x07\x1bc\x1b[6n"
    assert cells.clean(foreign) == "green"
    assert cells.clean(foreign, colours=True) == "\x1b[32mgreen\x1b[0m"


def test_tabs_become_spaces_up_to_the_next_stop() -> None:
    assert cells.clean("a\tb\t\tc") == "a       b               c"


@given(FOREIGN)
def test_nothing_that_moves_a_cursor_gets_through(text: str) -> None:
    cleaned = cells.clean(text)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in cleaned)
    coloured = cells.clean(text, colours=True)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in cells.strip(coloured))


@given(FOREIGN, st.integers(0, 40))
def test_clipped_text_never_takes_more_cells(text: str, room: int) -> None:
    assert cells.width(cells.clip(cells.clean(text, colours=True), room)) <= room


@given(st.text(max_size=30), st.integers(0, 40))
def test_padding_fills_up_and_cuts_nothing(text: str, room: int) -> None:
    text = cells.clean(text)
    assert cells.width(cells.pad(text, room)) == max(room, cells.width(text))
    assert cells.pad(text, room, right=True).endswith(text)


@given(st.text(alphabet="ab c\u4e2d", max_size=80), st.integers(4, 40))
def test_prose_wraps_between_words(text: str, columns: int) -> None:
    lines = cells.wrap(text, columns, indent="  ")
    assert " ".join(line[2:] for line in lines) == text
    assert all(cells.width(line) < columns or " " not in line[2:].strip() for line in lines)


def test_prose_hangs_below_its_beginning() -> None:
    assert cells.wrap("one two three", 12, indent="up  ", hanging="    ") == ["up  one two", "    three"]
    assert cells.wrap("one two", 0, indent="  ") == ["  one two"]


def test_what_does_not_fit_into_the_last_column_goes_on_below() -> None:
    rows = [("shop", "Two machines that talk over a network"), ("tiny", "The smallest")]
    assert table(("NAME", "WHAT IT IS"), rows, Look(), width=30, wrapped=True) == [
        "NAME  WHAT IT IS",
        "shop  Two machines that talk",
        "      over a network",
        "tiny  The smallest",
    ]

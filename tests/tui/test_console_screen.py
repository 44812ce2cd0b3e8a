"""The screens of the console: both emulators show the same, and nothing that a guest sends breaks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.console.fallback import BitttyScreen
from tui.console.ghostty import GhosttyScreen
from tui.console.mouse import WHEEL_UP, Action, MouseEvent, told
from tui.console.screen import Screen, create
from tui.log import sgr
from tui.log.sgr import PLAIN, Sgr

Make = Callable[[int, int], Screen]


@pytest.fixture(params=[GhosttyScreen, BitttyScreen], ids=["ghostty", "bittty"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Screen] = []

    def factory(columns: int = 40, rows: int = 6) -> Screen:
        made.append(request.param(columns, rows))
        return made[-1]

    yield factory
    for screen in made:
        screen.close()


def text(screen: Screen) -> list[str]:
    screen.changes()
    return ["".join(part for part, _ in screen.row(y)).rstrip() for y in range(screen.rows)]


def styles(screen: Screen, y: int = 0) -> dict[str, Sgr]:
    screen.changes()
    return {part.strip(): state for part, state in screen.row(y) if part.strip()}


CORPUS = [
    (b"hello", ["hello"]),
    (b"one\r\ntwo\r\nthree", ["one", "two", "three"]),
    (b"abc\rX", ["Xbc"]),
    (b"abc\x1b[1;1HX", ["Xbc"]),
    (b"abc\x1b[2J\x1b[H", [""]),
    (b"abc\x1b[1K", [""]),
    (b"abcdef\x1b[3D\x1b[K", ["abc"]),
    (b"abcdef\x1b[1;3H\x1b[2P", ["abef"]),
    (b"abcdef\x1b[1;3H\x1b[2@", ["ab  cdef"]),
    (b"a\r\nb\r\nc\x1b[1;1H\x1b[L", ["", "a", "b", "c"]),
    (b"a\r\nb\r\nc\x1b[1;1H\x1b[M", ["b", "c"]),
    (b"\x1b[2;3r\x1b[2;1Hx\r\ny\r\nz", ["", "y", "z"]),
    ("中文".encode(), ["中文"]),
    ("e\N{COMBINING ACUTE ACCENT}".encode(), ["é"]),
    (b"\x1b(0lqk\x1b(B", ["┌─┐"]),
    (b"x" * 45, ["x" * 40, "x" * 5]),
    (b"\x1b[?1049h full \x1b[?1049l", [""]),
    (b"bad \xff utf-8", ["bad \ufffd utf-8"]),
    (b"\x1b]0;t\x07after", ["after"]),
    (b"\x1bP+q544e\x1b\\after", ["after"]),
    (b"1\t2", ["1       2"]),
]


@pytest.mark.parametrize(("data", "rows"), CORPUS, ids=range(len(CORPUS)))
def test_what_programs_send_is_shown(make: Make, data: bytes, rows: list[str]) -> None:
    screen = make(40, 6)
    screen.feed(data)
    import unicodedata

    shown = [unicodedata.normalize("NFC", row) for row in text(screen)]
    assert shown == rows + [""] * (6 - len(rows))


@pytest.mark.parametrize("cut", range(1, 12))
def test_sequences_may_come_in_pieces(make: Make, cut: int) -> None:
    screen = make(40, 6)
    data = b"\x1b[31mred\x1b[0m \xe4\xb8\xad"
    screen.feed(data[:cut])
    screen.feed(data[cut:])
    assert text(screen)[0] == "red 中"
    assert styles(screen)["red"].fg == 1


def test_colours_and_attributes(make: Make) -> None:
    screen = make(60, 3)
    screen.feed(b"\x1b[1mbold\x1b[0m \x1b[3;4mboth\x1b[0m \x1b[38;5;200mpalette\x1b[0m ")
    screen.feed(b"\x1b[48;2;1;2;3mrgb\x1b[0m \x1b[7mrev")
    found = styles(screen)
    assert found["bold"] == Sgr(attributes=sgr.BOLD)
    assert found["both"] == Sgr(attributes=sgr.ITALIC | sgr.UNDERLINE)
    assert found["palette"] == Sgr(fg=200)
    assert found["rgb"] == Sgr(bg=(1, 2, 3))
    assert found["rev"] == Sgr(attributes=sgr.REVERSE)


def test_a_row_erased_in_a_colour_has_it_to_its_end(make: Make) -> None:
    screen = make(20, 3)
    screen.feed(b"\x1b[44mx\x1b[K")
    screen.changes()
    row = screen.row(0)
    assert sum(len(part) for part, _ in row) == 20
    assert all(state == Sgr(bg=4) for _, state in row)


def test_only_rows_that_changed_are_named(make: Make) -> None:
    screen = make(20, 5)
    screen.feed(b"a\r\nb\r\nc")
    screen.changes()
    assert screen.changes().rows == ()
    screen.feed(b"\x1b[2;1HX")
    changed = screen.changes().rows
    assert changed is not None
    assert 1 in changed
    assert 4 not in changed


def test_title_bell_and_reports(make: Make) -> None:
    screen = make(20, 5)
    screen.feed("\x1b]2;a title: é\x07\x07\x1b[6n".encode())
    assert screen.title == "a title: é"
    assert screen.take_bell()
    assert not screen.take_bell()
    assert screen.take_replies() == b"\x1b[1;1R"
    assert screen.take_replies() == b""


def test_the_cursor(make: Make) -> None:
    screen = make(20, 5)
    screen.feed(b"ab\x1b[3;4H")
    assert screen.cursor == (3, 2, True)
    screen.feed(b"\x1b[?25l")
    assert not screen.cursor.visible


def test_a_frame_that_is_held_back(make: Make) -> None:
    screen = make(20, 5)
    assert not screen.held
    screen.feed(b"\x1b[?2026hhalf")
    assert screen.held
    screen.feed(b"\x1b[?2026l")
    assert not screen.held


def test_looking_back_and_returning(make: Make) -> None:
    screen = make(20, 5)
    screen.feed(b"".join(b"line %d\r\n" % number for number in range(50)))
    assert text(screen)[0] == "line 46"
    screen.scroll(-10)
    assert screen.scrolled == 10
    assert text(screen)[0] == "line 36"
    assert not screen.cursor.visible
    screen.scroll(-1000)
    assert text(screen)[0] == "line 0"
    screen.scroll_to_end()
    assert screen.scrolled == 0
    assert text(screen)[0] == "line 46"


def test_lines_are_wrapped_anew_for_another_width(make: Make) -> None:
    screen = make(20, 5)
    screen.feed(b"0123456789abcdefghij0123\r\nend")
    assert text(screen)[:3] == ["0123456789abcdefghij", "0123", "end"]
    screen.resize(30, 5)
    assert text(screen)[:2] == ["0123456789abcdefghij0123", "end"]
    screen.resize(12, 5)
    assert text(screen)[:3] == ["0123456789ab", "cdefghij0123", "end"]


def test_the_alternate_screen_takes_the_wheel_as_cursor_keys(make: Make) -> None:
    screen = make(20, 5)
    up = MouseEvent(Action.PRESS, WHEEL_UP, 4, 2)
    assert told(screen, up) is None, "the history is scrolled"
    screen.feed(b"\x1b[?1049h")
    assert screen.alternate
    assert told(screen, up) == b"\x1b[A" * 3
    screen.feed(b"\x1b[?1000h\x1b[?1006h")
    assert told(screen, up) == b"\x1b[<64;5;3M"


def test_keys_follow_the_modes_that_the_guest_sets(make: Make) -> None:
    screen = make(20, 5)
    assert screen.key("up", None) == b"\x1b[A"
    screen.feed(b"\x1b[?1h")
    assert screen.key("up", None) == b"\x1bOA"
    assert not screen.modes.bracketed_paste
    screen.feed(b"\x1b[?2004h")
    assert screen.modes.bracketed_paste


def test_the_kitty_protocol_is_spoken_where_the_guest_asks_for_it() -> None:
    screen = create(20, 5)
    assert isinstance(screen, GhosttyScreen)
    assert screen.key("escape", None) == b"\x1b"
    screen.feed(b"\x1b[>1u")
    assert screen.key("escape", None) == b"\x1b[27u"
    assert screen.key("ctrl+c", None) == b"\x1b[99;5u"
    assert screen.key("a", "a") == b"a"
    assert screen.key("enter", "\r") == b"\r"
    assert screen.key("up", None) == b"\x1b[A"
    screen.close()


SEQUENCES = st.sampled_from(
    [
        b"text ",
        b"\r\n",
        b"\x1b[31m",
        b"\x1b[0m",
        b"\x1b[5;5H",
        b"\x1b[2J",
        b"\x1b[K",
        b"\x1b[3;4r",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[10L",
        b"\x1b[3M",
        b"\x1bM",
        b"\x1b[99999;99999H",
        b"\x1b[?6h",
        "中".encode(),
        "👨\u200d👩\u200d👧".encode(),
        b"\xff\xfe",
        b"\x1b]0;",
        b"\x07",
        b"\x1bc",
        b"\x1b[!p",
        b"\x1b[44m",
        b"\x1b[1000@",
        b"\x1b7",
        b"\x1b8",
        b"\t" * 30,
        b"\x1b[5b",
        b"\x1b_G",
        b"\x1b\\",
        b"\x1bPq",
        b"\x9b",
        b"\x1b[38;2;1;2;3;4;5;6m",
    ]
)


@settings(max_examples=60)
@given(
    st.lists(st.one_of(SEQUENCES, st.binary(max_size=30)), max_size=60), st.integers(2, 30), st.integers(1, 9)
)
def test_anything_can_be_fed(tokens: list[bytes], columns: int, rows: int) -> None:
    for kind in (GhosttyScreen, BitttyScreen):
        screen: Screen = kind(20, 6)
        try:
            for number, token in enumerate(tokens):
                screen.feed(token)
                if number == len(tokens) // 2:
                    screen.resize(columns, rows)
            screen.changes()
            for y in range(screen.rows):
                row = screen.row(y)
                assert not any(ord(letter) < 32 for part, _ in row for letter in part)
                assert sum(len(part) > 0 for part, _ in row) == len(row)
                screen.links(y)
            assert 0 <= screen.cursor.x <= screen.columns
            screen.take_replies()
            screen.resize(rows + 1, columns)
            screen.scroll(-3)
            assert screen.scrolled >= 0
            assert screen.total >= 0 <= screen.dropped
            screen.history()
            assert isinstance(screen.text(), str)
        finally:
            screen.close()


def test_the_scrollback_is_bounded_in_bytes() -> None:
    import resource

    screen = create(200, 50)
    line = b"x" * 199 + b"\r\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(50):
        screen.feed(line * 10_000)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    screen.close()
    assert grown < 60 << 20, "half a million wide lines went through"


def test_a_plain_cell_is_plain(make: Make) -> None:
    screen = make(10, 2)
    screen.feed(b"a b")
    screen.changes()
    assert {state for _, state in screen.row(0)} == {PLAIN}

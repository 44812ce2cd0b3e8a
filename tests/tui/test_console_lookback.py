"""Looking back in a console: moving, searching, selecting; with both screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.console import clipboard
from tui.console.excerpt import Place, find, text_between, word_at
from tui.console.fallback import BitttyScreen
from tui.console.ghostty import GhosttyScreen
from tui.console.lookback import Lookback
from tui.console.screen import History, Screen

Make = Callable[..., Screen]


@pytest.fixture(params=[GhosttyScreen, BitttyScreen], ids=["ghostty", "bittty"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Screen] = []

    def factory(data: bytes, columns: int = 20, rows: int = 5) -> Screen:
        screen: Screen = request.param(columns, rows)
        screen.feed(data)
        made.append(screen)
        return screen

    yield factory
    for screen in made:
        screen.close()


def lines(count: int) -> bytes:
    return b"".join(b"line %d\r\n" % number for number in range(count))


def shown(screen: Screen) -> list[str]:
    screen.changes()
    return ["".join(text for text, _ in screen.row(y)).rstrip() for y in range(screen.rows)]


def test_the_history_has_every_row(make: Make) -> None:
    screen = make(lines(30) + b"0123456789abcdefghij0123\r\nend")
    history = screen.history()
    assert history.rows[:2] == ("line 0", "line 1")
    assert history.rows[-3:] == ("0123456789abcdefghij", "0123", "end")
    assert history.goes_on == {len(history.rows) - 3}
    assert screen.total == len(history.rows) == 33
    assert screen.dropped == 0


def test_searching_goes_up_from_the_end_and_round(make: Make) -> None:
    screen = make(lines(30))
    look = Lookback(screen)
    assert look.find("LINE 1") is False, "capital letters count"
    assert look.find("line 1")
    assert len(look.matches) == 11
    assert "line 19" in held_rows(look, screen)
    assert look.next(-1)
    assert "line 18" in held_rows(look, screen)
    assert look.next(1)
    assert look.next(1)
    assert look.matches[look.match].start == Place(1, 0), "round at the end"
    assert held_rows(look, screen)[0] == "line 0"
    y = look.cursor.row - look.top
    assert look.found(y) == [(0, 6, True)]
    assert not look.find("nowhere")


def test_a_match_goes_over_the_end_of_a_wrapped_row(make: Make) -> None:
    screen = make(b"x" * 17 + b"needle and more")
    look = Lookback(screen)
    assert look.find("needle")
    assert look.matches == [(Place(0, 17), Place(1, 3))]
    assert look.found(0) == [(17, 20, True)]
    assert look.found(1) == [(0, 3, True)]


def test_a_selection_is_copied_as_lines(make: Make) -> None:
    screen = make(b"first line  \r\n0123456789abcdefghij0123\r\nlast")
    look = Lookback(screen)
    look.go(Place(0, 6))
    look.select()
    look.go(Place(3, 1))
    assert look.text() == "line\n0123456789abcdefghij0123\nla"
    assert [look.selected(y) for y in range(5)] == [(6, 20), (0, 20), (0, 20), (0, 2), None]
    look.select(lines=True)
    assert look.text().startswith("first line\n")
    look.deselect()
    assert look.text() == ""


def test_the_mouse_selects_words_and_lines(make: Make) -> None:
    screen = make("see https://a.b/c?d=1 中文 x".encode(), columns=40)
    look = Lookback(screen)
    look.press(8, 0, 2)
    assert look.text() == "https://a.b/c?d=1"
    look.press(23, 0, 2)
    assert look.text() == "中文"
    look.press(8, 0, 3)
    assert look.text() == "see https://a.b/c?d=1 中文 x"


def test_dragging_beyond_the_edge_scrolls(make: Make) -> None:
    screen = make(lines(30))
    look = Lookback(screen)
    look.press(3, 2, 1)
    look.drag(0, -4)
    assert look.held is not None
    assert look.held.scrolled == 4
    assert look.text().startswith("line 22\n")


def test_what_is_selected_stays_while_more_is_written(make: Make) -> None:
    screen = make(lines(30))
    look = Lookback(screen)
    look.go(Place(10, 0))
    look.select(lines=True)
    screen.feed(lines(40))
    look.follow()
    assert look.text() == "line 10"


def held_rows(look: Lookback, screen: Screen) -> list[str]:
    assert look.held is not None
    return ["".join(text for text, _ in look.held.row(y)).rstrip() for y in range(screen.rows)]


def test_a_flood_changes_nothing_of_what_is_held(make: Make) -> None:
    screen = make(lines(30), columns=80, rows=5)
    look = Lookback(screen)
    look.move(rows=-2)
    look.select(lines=True)
    before = shown(screen)
    screen.feed(b"y\r\n" * 20_000 + b"\x1b[3J\x1b[2J\x1b[Hlast")
    look.follow()
    assert held_rows(look, screen) == before
    look.move(rows=-1)
    assert look.text() == "line 27\nline 28"
    look.to_start()
    assert held_rows(look, screen)[0] == "line 0", "what is forgotten by now, too"
    assert look.text().startswith("line 0\nline 1\n")
    look.deselect()
    assert look.held is None
    assert shown(screen)[0] == "last"


def test_what_was_found_is_held_until_the_search_ends(make: Make) -> None:
    screen = make(lines(30), columns=80, rows=5)
    look = Lookback(screen)
    assert look.find("line 27")
    before = held_rows(look, screen)
    screen.feed(b"line 27 of a flood\r\n" * 20_000)
    look.follow()
    assert held_rows(look, screen) == before
    assert look.next(-1)
    assert look.cursor.row == 27, "there is only that one: what came since is not searched"
    assert look.held is not None
    assert look.held.behind > 1_000
    look.select(lines=True)
    look.deselect()
    assert look.held is not None, "the search goes on"
    look.stop_finding()
    assert look.held is None
    assert look.find("of a flood")
    assert not look.find("nowhere")
    assert look.held is None, "where nothing is found there is nothing to hold"


def test_who_had_looked_back_still_does_when_the_selection_ends(make: Make) -> None:
    screen = make(b"\x1b[31m" + lines(30))
    look = Lookback(screen)
    look.go(Place(10, 0))
    screen.changes()
    coloured = screen.row(0)
    look.select()
    screen.feed(lines(3))
    look.move(rows=-2)
    assert look.held is not None
    assert look.held.behind == 3
    assert [state for _, state in look.held.row(0)] == [state for _, state in coloured]
    assert held_rows(look, screen)[0] == "line 8"
    look.deselect()
    assert shown(screen)[0] == "line 8"


def test_the_cursor_goes_on_with_the_view_until_something_is_selected(make: Make) -> None:
    screen = make(lines(3))
    look = Lookback(screen)
    screen.feed(lines(50))
    look.follow()
    assert look.cursor.row == look.top
    look.select()
    chosen = look.cursor
    screen.feed(lines(50))
    look.follow()
    assert (look.anchor, look.cursor) == (chosen, chosen), "what is selected stays what it was"


def test_a_selection_outlives_its_lines_and_ends_when_they_are_wrapped_anew(make: Make) -> None:
    screen = make(lines(30))
    look = Lookback(screen)
    look.go(Place(10, 0))
    look.select()
    screen.resize(30, 5)
    look.follow()
    assert look.anchor is None
    look.go(Place(2, 0))
    look.select(lines=True)
    screen.feed(b"\x1b[3J" + lines(3))
    look.follow()
    assert look.text() == "line 2"


ROWS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12), min_size=1
)


@given(ROWS, st.sets(st.integers(0, 8)), st.text("ab 中", min_size=1, max_size=3))
def test_what_is_found_is_there(rows: list[str], wrapped: set[int], wanted: str) -> None:
    history = History(tuple(rows), frozenset(wrapped))
    for match in find(history, wanted):
        last = Place(match.end.row, match.end.x - 1)
        assert wanted.strip().lower() in text_between(history, match.start, last).lower()


@given(ROWS, st.integers(0, 30))
def test_any_cell_has_a_word(rows: list[str], x: int) -> None:
    first, last = word_at(rows[0], x)
    assert 0 <= first <= last


def test_the_clipboard_has_a_cap() -> None:
    assert clipboard.sequence("é", tmux=False) == "\x1b]52;c;w6k=\x07"
    assert clipboard.sequence("é", tmux=True) == "\x1b]52;c;w6k=\x07\x1bPtmux;\x1b\x1b]52;c;w6k=\x07\x1b\\"
    assert clipboard.sequence("x" * clipboard.CAP, tmux=False)
    assert clipboard.sequence("x" * (clipboard.CAP + 1), tmux=False) == ""

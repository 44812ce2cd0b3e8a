from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip

from tui.log.frame import Frame, marked


def _frame(*lines: str) -> Frame:
    return Frame((), [Strip([Segment(line)]) for line in lines])


def test_only_rows_that_are_not_the_same_differ() -> None:
    assert _frame("one", "two", "three").differing(_frame("one", "2", "three")) == [1]
    assert _frame("one").differing(_frame("one")) == []


def test_matches_are_reversed_and_what_lies_beyond_the_line_is_left_out() -> None:
    strip = marked(Strip([Segment("a word here")]), [(2, 6), (40, 44)], current=False)
    assert strip.text == "a word here"
    assert [segment.text for segment in strip if segment.style and segment.style.reverse] == ["word"]

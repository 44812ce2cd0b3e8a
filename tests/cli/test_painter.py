"""Drawing in place, looked at through a real terminal emulator."""

from __future__ import annotations

import io

import pytest
from pyghostty import Terminal

from core.cli.painter import Painter


class Screen(io.StringIO):
    """A stream that is a terminal; can be resized."""

    def __init__(self, columns: int = 40, lines: int = 10) -> None:
        super().__init__()
        self.terminal = Terminal(columns, lines)
        self.size = (columns, lines)
        self.frames: list[str] = []

    def write(self, text: str) -> int:
        self.frames.append(text)
        self.terminal.feed(text.replace("\n", "\r\n").encode())
        return len(text)

    def resize(self, columns: int, lines: int) -> None:
        self.size = (columns, lines)
        self.terminal.resize(columns, lines)

    @property
    def shown(self) -> list[str]:
        return [line.rstrip() for line in self.terminal.text().rstrip().split("\n")]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    monkeypatch.setattr(Painter, "size", lambda self: made.size)
    return made


def test_a_block_is_redrawn_in_place(screen: Screen) -> None:
    painter = Painter(screen)
    painter.paint([], ["one", "two", "three"])
    painter.paint([], ["ONE", "2"])
    assert screen.shown == ["ONE", "2"]
    painter.paint([], ["a", "b", "c", "d"])
    assert screen.shown == ["a", "b", "c", "d"]


def test_lines_above_stay(screen: Screen) -> None:
    painter = Painter(screen)
    painter.paint(["first"], ["block", "block 2"])
    painter.paint(["second"], ["block"])
    painter.paint([], [])
    painter.paint(["third"], [])
    assert screen.shown == ["first", "second", "third"]


def test_what_scrolls_away_is_not_drawn_again(screen: Screen) -> None:
    painter = Painter(screen)
    for number in range(30):
        painter.paint([f"line {number}"], ["working", "still"])
    assert screen.shown[-3:] == ["line 29", "working", "still"]
    assert screen.shown[-10:].count("working") == 1


@pytest.mark.parametrize("columns", [20, 13, 60])
def test_a_resized_terminal_keeps_one_block(screen: Screen, columns: int) -> None:
    painter = Painter(screen)
    painter.paint(["above"], ["x" * 38, "y" * 38])
    screen.resize(columns, 10)
    painter.paint([], ["x" * (columns - 1), "y" * (columns - 1)])
    painter.paint([], ["done"])
    assert screen.shown == ["above", "done"]


def test_an_unchanged_frame_writes_nothing(screen: Screen) -> None:
    painter = Painter(screen)
    painter.paint([], ["same"])
    written = len(screen.frames)
    painter.paint([], ["same"])
    assert len(screen.frames) == written


def test_a_frame_is_one_write(screen: Screen) -> None:
    Painter(screen).paint(["above"], ["a", "b"])
    assert len(screen.frames) == 1

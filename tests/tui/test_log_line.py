"""One line of output, as a terminal would show it in the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.log import sgr
from tui.log.line import columns, runs, text_of, width_of
from tui.log.sgr import PLAIN, Sgr, apply, fold


def shown(data: bytes) -> str:
    return text_of(runs(data, PLAIN)[0])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        (b"", ""),
        (b"line\r", "line"),
        (b"10%\r50%\r100%", "100%"),
        (b"downloading\rdone", "doneloading"),
        (b"downloading\r\x1b[Kdone", "done"),
        (b"abc\x08X", "abX"),
        (b"a\tb", "a       b"),
        (b"12345678\tb", "12345678        b"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"a\x1b[5Cb", "a     b"),
        (b"abcdef\x1b[3Gx", "abxdef"),
        (b"abc\x1b[2Kd", "   d"),
        (b"caf\xc3\xa9 \xff\xfe", "café ��"),
        (b"bell\x07 nul\x00!", "bell nul!"),
        (b"cut \x1b[3", "cut "),
        ("中文\rab".encode(), "ab文"),
        ("e\N{COMBINING ACUTE ACCENT}\rx".encode(), "x"),
    ],
)
def test_what_is_to_be_seen(data: bytes, text: str) -> None:
    assert shown(data) == text


def test_colours_are_kept_and_carried_on() -> None:
    found, state = runs(b"a \x1b[1;31mred \x1b[32mgreen", PLAIN)
    assert found == [("a ", PLAIN), ("red ", Sgr(1, None, sgr.BOLD)), ("green", Sgr(2, None, sgr.BOLD))]
    assert runs(b"still", state)[0] == [("still", Sgr(2, None, sgr.BOLD))]


def test_what_is_written_over_has_the_later_colours() -> None:
    found, _ = runs(b"\x1b[31mold old\x1b[0m\rnew", PLAIN)
    assert found == [("new", PLAIN), (" old", Sgr(1))]


@pytest.mark.parametrize(
    ("parameters", "state"),
    [
        ("", PLAIN),
        ("0", PLAIN),
        ("38;5;196", Sgr(fg=196)),
        ("48;2;1;2;3", Sgr(bg=(1, 2, 3))),
        ("38:2::10:20:30", Sgr(fg=(10, 20, 30))),
        ("38:5:7", Sgr(fg=7)),
        ("94", Sgr(fg=12)),
        ("103", Sgr(bg=11)),
        ("4:3", Sgr(attributes=sgr.UNDERLINE)),
        ("4;4:0", PLAIN),
        ("1;22", PLAIN),
        ("38;5", PLAIN),
        ("38;5;999", PLAIN),
        ("38;2;1;2", PLAIN),
        ("999999999999", PLAIN),
        ("7;27;9", Sgr(attributes=sgr.STRIKE)),
        ("38;9;1", Sgr(attributes=sgr.STRIKE | sgr.BOLD)),
    ],
)
def test_parameters_of_colours(parameters: str, state: Sgr) -> None:
    assert apply(PLAIN, parameters) == state


def test_folding_looks_only_at_what_follows_the_last_reset() -> None:
    data = b"\x1b[31m" * 1000 + b"\x1b[0m\x1b[1m" + b"x" * 1000
    assert fold(Sgr(5), data) == Sgr(attributes=sgr.BOLD)


TOKENS = st.sampled_from(
    [
        b"word",
        b" ",
        b"\r",
        b"\x08",
        b"\t",
        b"\x1b[K",
        b"\x1b[1K",
        b"\x1b[2K",
        b"\x1b[3C",
        b"\x1b[2D",
        b"\x1b[5G",
        b"\x1b[31m",
        b"\x1b[0m",
        b"\x1b[1;44m",
        b"\x1b[m",
        b"\x07",
        "é".encode(),
        "中".encode(),
        b"-=>",
        b"\x1b]0;t\x07",
    ]
)


@given(st.lists(TOKENS, max_size=25))
def test_it_agrees_with_a_terminal(tokens: list[bytes]) -> None:
    from tui.console.screen import create

    data = b"".join(tokens)
    screen = create(250, 3)
    try:
        screen.feed(data)
        screen.changes()
        expected = "".join(text for text, _ in screen.row(0)).rstrip()
    finally:
        screen.close()
    # Half of a wide character that was written over is a matter of taste: a blank, or nothing.
    if "中".encode() in data and any(token in data for token in (b"\r", b"\x08", b"\x1b[2D", b"\x1b[5G")):
        assert len(shown(data).rstrip()) <= 250
    else:
        assert shown(data).rstrip() == expected


@given(st.binary(max_size=400))
def test_anything_can_be_shown(data: bytes) -> None:
    data = data.replace(b"\n", b"")
    found, _ = runs(data, PLAIN)
    text = text_of(found)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)
    assert sum(width_of([run]) for run in found) == width_of(found)


@given(st.text("ab 中é\t", max_size=40), st.integers(0, 50), st.integers(1, 20))
def test_a_part_of_a_line_is_as_wide_as_it_should_be(text: str, start: int, width: int) -> None:
    found, _ = runs(text.encode(), PLAIN)
    part = columns(found, start, width)
    assert width_of(part) == max(0, min(width, width_of(found) - start))

"""The index of a log: any line of any file, without keeping the lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.log.index import BLOCK, LogIndex
from tui.log.search import Search
from tui.log.sgr import PLAIN, Sgr, fold
from tui.log.window import WHOLE, Place, Window


def indexed(path: Path, data: bytes, step: int = 8 << 20) -> LogIndex:
    path.write_bytes(data)
    index = LogIndex(path)
    while index.extend(step):
        pass
    return index


def lines_of(index: LogIndex) -> list[bytes]:
    spans = [index.span(number) for number in range(index.lines)]
    return [index.read(start, end - start) for start, end in spans]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\n\n\nx", [b"", b"", b"", b"x"]),
        (b"x" * BLOCK + b"\ny\n", [b"x" * BLOCK, b"y"]),
        (b"x" * (BLOCK - 1) + b"\ny\n", [b"x" * (BLOCK - 1), b"y"]),
        (b"x" * (3 * BLOCK) + b"\n" + b"y" * BLOCK, [b"x" * (3 * BLOCK), b"y" * BLOCK]),
        (b"\n" * (2 * BLOCK), [b""] * (2 * BLOCK)),
    ],
)
def test_every_line_is_found(tmp_path: Path, data: bytes, lines: list[bytes]) -> None:
    index = indexed(tmp_path / "log", data)
    assert index.lines == len(lines)
    probe = range(len(lines)) if len(lines) < 100 else (0, 1, BLOCK - 1, BLOCK, len(lines) - 1)
    for number in probe:
        start, end = index.span(number)
        assert index.read(start, end - start) == lines[number]
        if end > start:
            assert index.line_at(start) == number
    index.close()


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from([b"\n", b"word ", b"\x1b[31m", b"\x1b[0m", b"x" * 9000, b"\x1b[38;5;7m"]), max_size=60
    ),
    st.integers(1, 40_000),
)
def test_pieces_of_any_size_give_the_same_index(
    tmp_path_factory: pytest.TempPathFactory, tokens: list[bytes], step: int
) -> None:
    data = b"".join(tokens)
    index = indexed(tmp_path_factory.mktemp("log") / "log", data, step)
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert lines_of(index) == expected
    for number in range(index.lines):
        start, _ = index.span(number)
        assert index.state_at(start) == fold(PLAIN, data[:start])
    index.close()


def test_a_growing_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    index = LogIndex(path)
    assert not index.extend()
    assert index.lines == 0, "the file does not exist yet"
    with path.open("ab", buffering=0) as file:
        file.write(b"one\ntw")
        index.extend()
        assert lines_of(index) == [b"one", b"tw"]
        file.write(b"o\nthree\n")
        index.extend()
        assert lines_of(index) == [b"one", b"two", b"three"]
    index.close()


def test_a_file_that_was_replaced_by_a_shorter_one_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    index = indexed(path, b"long\n" * 100)
    path.write_bytes(b"new\n")
    index.extend()
    assert lines_of(index) == [b"new"]
    index.close()


def test_a_colour_cut_by_the_end_of_a_block_is_carried_on(tmp_path: Path) -> None:
    for shift in range(6):
        data = b"x" * (BLOCK - shift - 1) + b"\x1b[31m" + b"y\nred line\n"
        index = indexed(tmp_path / f"log{shift}", data)
        assert index.state_at(index.span(1)[0]) == Sgr(fg=1)
        index.close()


def test_the_index_of_a_million_lines_is_small(tmp_path: Path) -> None:
    import tracemalloc

    data = b"\x1b[32ma line of output of a usual length\x1b[0m, and some more of it\n" * 200_000
    path = tmp_path / "log"
    path.write_bytes(data)
    del data
    tracemalloc.start()
    index = LogIndex(path)
    while index.extend():
        pass
    assert index.lines == 200_000
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size < 200_000
    index.close()


# The window.


def texts(window: Window, place: Place, count: int, width: int, **more: object) -> list[str]:
    return [row.text for row in window.rows(place, count, width, **more)]  # type: ignore[arg-type]


def test_a_window_shows_lines_cut_or_scrolled_sideways(tmp_path: Path) -> None:
    index = indexed(tmp_path / "log", b"0123456789\nab\n\n\x1b[31mred\x1b[0m\n")
    window = Window(index)
    assert texts(window, Place(), 9, 4) == ["0123", "ab", "", "red"]
    assert texts(window, Place(), 9, 4, left=3) == ["3456", "", "", ""]
    assert texts(window, Place(2), 1, 4) == [""]


def test_long_lines_are_wrapped(tmp_path: Path) -> None:
    index = indexed(tmp_path / "log", b"0123456789\nab\n")
    window = Window(index)
    assert texts(window, Place(), 9, 4, wrapped=True) == ["0123", "4567", "89", "ab"]
    assert texts(window, Place(0, 2), 9, 4, wrapped=True) == ["89", "ab"]


def test_colours_reach_the_lines_after_them(tmp_path: Path) -> None:
    index = indexed(tmp_path / "log", b"\x1b[31m" + b"line\n" * 30_000)
    row = Window(index).rows(Place(29_000), 1, 10)[0]
    assert row.segments[0][1].color is not None


def test_a_line_of_ten_megabytes_is_looked_at_in_bounded_work(tmp_path: Path) -> None:
    line = b"".join(b"%09d " % number for number in range(1_000_000))
    index = indexed(tmp_path / "log", b"before\n" + line + b"\nafter\n")
    reads: list[int] = []
    original = index.read

    def counted(start: int, length: int) -> bytes:
        reads.append(length)
        return original(start, length)

    index.read = counted  # type: ignore[method-assign]
    window = Window(index)
    assert texts(window, Place(1), 1, 20, left=5_000_000) == ["000500000 000500001 "]
    assert texts(window, Place(1, 250_000), 2, 20, wrapped=True) == [
        "000500000 000500001 ",
        "000500002 000500003 ",
    ]
    assert sum(reads) < 4 * WHOLE
    assert texts(window, Place(2), 1, 20) == ["after"]
    index.close()


# Searching.


def matches(index: LogIndex, text: str) -> list[int]:
    search = Search(index, text)
    while search.step():
        pass
    return list(search.lines)


def test_a_search_finds_every_line_once(tmp_path: Path) -> None:
    data = b"".join(
        b"line %d %s\n" % (number, b"needle needle" if number % 1000 == 7 else b"hay")
        for number in range(50_000)
    )
    index = indexed(tmp_path / "log", data)
    assert matches(index, "needle") == list(range(7, 50_000, 1000))
    assert matches(index, "NEEDLE") == [], "capital letters count when there are some"
    assert matches(index, "line 4999") == [4999, *range(49_990, 50_000)]
    assert matches(index, "no such thing") == []
    index.close()


def test_colours_within_a_word_do_not_hide_it(tmp_path: Path) -> None:
    index = indexed(tmp_path / "log", b"x\nnee\x1b[31mdle\x1b[0m\n")
    assert matches(index, "needle") == [1]


def test_what_is_searched_is_literal(tmp_path: Path) -> None:
    index = indexed(tmp_path / "log", b"aaaa\n(a+)+$\n")
    assert matches(index, "(a+)+$") == [1]


def test_an_unfinished_line_is_searched_again_when_it_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    index = indexed(path, b"one\nnee")
    search = Search(index, "needle")
    while search.step():
        pass
    with path.open("ab") as file:
        file.write(b"dle\nneedle")
    index.extend()
    while search.step():
        pass
    assert list(search.lines) == [1, 2]
    assert search.after(1) == 2
    assert search.before(2) == 1
    assert search.after(2) is None
    assert search.rank(2) == 2
    assert search.marks("a needle, a NEEDLE") == [(2, 8), (12, 18)]

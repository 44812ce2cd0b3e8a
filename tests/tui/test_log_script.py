"""A log in sections: headings, folds, times, errors; several logs as one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BoxwrightError
from core.model.operation import LogSegment
from tui.log import keeping
from tui.log.drawing import LogFile
from tui.log.reader import Reader

Written = list[tuple[int, bytes, float]]
"""Step, what it wrote, and when."""


def log_file(path: Path, written: Written, owner: str = "") -> LogFile:
    segments, data = [], b""
    for step, text, when in written:
        segments.append(LogSegment(step=step, offset=len(data), length=len(text), time=when))
        data += text
    path.write_bytes(data)
    return LogFile(path=str(path), owner=owner, segments=tuple(segments))


def reader(*files: LogFile, height: int = 50, width: int = 40) -> Reader:
    made = Reader(files)
    made.height, made.width, made.follow = height, width, False
    while made.extend(1 << 20):
        pass
    made.arrange()
    return made


def shown(made: Reader) -> list[str]:
    """Headings as ``#step``, lines as they are."""
    return [f"#{seen.section.step}" if seen.visible is None else seen.visible.text for seen in made.seen()]


def found(made: Reader) -> None:
    while made.search_on():
        pass


THREE: Written = [(1, b"one\ntwo\n", 10.0), (2, b"three\n", 20.0), (2, b"four\n", 25.0), (1, b"five\n", 30.0)]


def test_each_step_has_a_heading_and_says_that_it_goes_on(tmp_path: Path) -> None:
    made = reader(log_file(tmp_path / "log", THREE))
    assert shown(made) == ["#1", "one", "two", "#2", "three", "four", "#1", "five"]
    assert [section.goes_on for section in made.script.sections] == [False, False, True]


def test_what_nobody_is_known_to_have_written_has_no_heading(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\nb\n")
    assert shown(reader(LogFile(path=str(path)))) == ["a", "b"]


def test_a_step_that_goes_on_within_a_line_begins_with_the_next(tmp_path: Path) -> None:
    made = reader(log_file(tmp_path / "log", [(1, b"half", 1.0), (2, b" done\nnext\n", 2.0)]))
    assert shown(made) == ["#1", "half done", "#2", "next"]


def test_folding_leaves_the_heading_and_is_undone(tmp_path: Path) -> None:
    made = reader(log_file(tmp_path / "log", THREE))
    made.fold(1)
    assert shown(made) == ["#1", "#2", "three", "four", "#1", "five"]
    made.perform("log.fold-all")
    assert shown(made) == ["#1", "#2", "#1"]
    made.perform("log.fold-all")
    assert len(shown(made)) == 8


def test_a_search_opens_what_is_folded_away_and_goes_round_nowhere(tmp_path: Path) -> None:
    made = reader(log_file(tmp_path / "log", THREE))
    made.perform("log.fold-all")
    made.find("four")
    found(made)
    assert made.found == (0, 3)
    assert shown(made) == ["#1", "#2", "three", "four", "#1"]
    made.perform("log.next")
    assert made.found == (0, 3)


def test_errors_are_found_from_the_first_on(tmp_path: Path) -> None:
    text = b"fine\nE: Unable to locate package\nterror is a word\n\x1b[31mERROR\x1b[0m: no\nok\n"
    made = reader(log_file(tmp_path / "log", [(1, text, 1.0)]))
    made.perform("log.first-error")
    found(made)
    assert made.found == (0, 1)
    assert made.finding is not None
    assert (made.finding.rank(made.found), made.finding.count) == (1, 2)
    made.perform("log.error")
    assert made.found == (0, 3)


def test_steps_are_gone_to_by_their_headings(tmp_path: Path) -> None:
    made = reader(log_file(tmp_path / "log", THREE), height=3)
    made.perform("log.step-after")
    assert shown(made)[0] == "#2"
    made.perform("log.step-after")
    made.perform("log.step-before")
    assert shown(made)[0] == "#2"


def test_times_never_run_backwards_though_the_clock_does(tmp_path: Path) -> None:
    written: Written = [(1, b"a\n", 100.0), (1, b"b\n", 40.0), (1, b"c\n", 101.0)]
    source = reader(log_file(tmp_path / "log", written)).script.sources[0]
    assert [source.time_of(line) for line in range(3)] == [100.0, 100.0, 101.0]


def test_logs_of_several_machines_are_shown_in_the_order_of_time(tmp_path: Path) -> None:
    web = log_file(tmp_path / "web", [(1, b"w1\n", 1.0), (1, b"w2\n", 9.0)], "web")
    db = log_file(tmp_path / "db", [(1, b"d1\n", 5.0)], "db")
    made = reader(web, db)
    assert [text for text in shown(made) if not text.startswith("#")] == ["w1", "d1", "w2"]
    made.find("w2")
    found(made)
    assert made.found == (0, 1)
    made.perform("log.previous")
    assert made.found == (0, 1)
    keeping.save(made, str(tmp_path / "saved"))
    assert (tmp_path / "saved").read_bytes() == b"web | w1\ndb | d1\nweb | w2\n"


def test_a_log_is_saved_as_it_is_and_nothing_is_written_over(tmp_path: Path) -> None:
    made = reader(log_file(tmp_path / "log", [(1, b"\x1b[31mred\x1b[0m\nlast", 1.0)]))
    assert keeping.save(made, str(tmp_path / "saved")) == (tmp_path / "log").stat().st_size
    assert (tmp_path / "saved").read_bytes() == (tmp_path / "log").read_bytes()
    with pytest.raises(BoxwrightError, match="there already"):
        keeping.save(made, str(tmp_path / "saved"))


def test_what_is_copied_has_no_colours_and_of_much_the_end(tmp_path: Path) -> None:
    made = reader(
        log_file(tmp_path / "log", [(1, b"\x1b[31mred\x1b[0m\n", 1.0), (2, b"x" * 99 + b"\nlast\n", 2.0)])
    )
    assert keeping.ending(made, 1000) == ("red\n" + "x" * 99 + "\nlast\n", True)
    assert keeping.ending(made, 50) == ("last\n", False)


def test_growing_keeps_what_is_looked_at_in_place(tmp_path: Path) -> None:
    file = log_file(tmp_path / "log", THREE)
    made = reader(file, height=2)
    made.place = made.place._replace(line=4)
    assert shown(made) == ["three", "four"]
    with Path(file.path).open("ab") as more:
        more.write(b"six\n")
    made.extend(1 << 20)
    made.arrange()
    assert shown(made) == ["three", "four"]
    assert made.script.total == 6


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.binary(min_size=1, max_size=12), st.floats(0, 100)), max_size=12
    ),
    st.lists(st.integers(0, 20), max_size=6),
    st.booleans(),
)
def test_every_row_is_a_heading_or_a_line_and_each_line_is_one_row(
    tmp_path_factory: pytest.TempPathFactory, written: Written, folds: list[int], wrapped: bool
) -> None:
    made = reader(log_file(tmp_path_factory.mktemp("log") / "log", written), height=500, width=5)
    made.wrapped = wrapped
    script = made.script
    for section in script.sections:
        for line in range(section.first, section.end):
            assert script.at(script.row_of(0, line)) == (section, line)
    assert sum(section.end - section.first for section in script.sections) == script.total
    for row in folds:
        made.fold(row)
    shown(made)
    headings = sum(seen.visible is None for seen in made.seen())
    assert headings == sum(section.step > 0 for section in script.sections) or made.place.line > 0
    for row in range(script.rows):
        made.scroll(1)
        assert made.place.line <= max(0, script.rows - 1), row

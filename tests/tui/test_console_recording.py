"""Recordings: written as asciicast, read back, played."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from tests.support.waiting import until
from tests.tui.test_session import Wire, opened, rows
from tui.console import recording
from tui.console.recording import Recording
from tui.console.replay import ReplayLink
from tui.console.session import Session, SessionState


def cast(path: Path, *events: list[object], width: int = 20, height: int = 4) -> Path:
    head = {"version": 2, "width": width, "height": height}
    path.write_text("".join(json.dumps(line) + "\n" for line in (head, *events)))
    return path


async def test_what_a_guest_sends_is_recorded_with_its_time(tmp_path: Path) -> None:
    wire = Wire()
    session = await opened(wire)
    path = tmp_path / "deep" / "one.cast"
    session.record(Recording(path, 40, 10, "web: Shell 1"))
    wire.output("héllo ".encode()[:2])
    wire.output("héllo ".encode()[2:])
    session.resize(60, 20)
    wire.output(b"\x1b[31mred\xff")
    assert session.stop_recording() == path
    wire.output(b"later")
    await session.close()
    assert path.stat().st_mode & 0o077 == 0, "nobody else may read it"
    head, *events = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert {key: head[key] for key in ("version", "width", "height", "title")} == {
        "version": 2, "width": 40, "height": 10, "title": "web: Shell 1",
    }  # fmt: skip
    assert [event[1:] for event in events] == [
        ["o", "h"], ["o", "éllo "], ["r", "60x20"], ["o", "\x1b[31mred\ufffd"],
    ]  # fmt: skip
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    read = recording.read(path)
    assert (read.columns, read.rows, read.title) == (40, 10, "web: Shell 1")
    assert [event.data for event in read.events] == [event[2] for event in events]


async def played(path: Path) -> Session:
    session = Session(lambda: ReplayLink(path, session.fit, lambda: session.changed()), path.stem)
    session.start(100, 30)
    await until(lambda: session.state is not SessionState.CONNECTING)
    return session


async def test_a_recording_is_played_in_its_own_size(tmp_path: Path) -> None:
    path = cast(
        tmp_path / "a.cast",
        [0, "o", "one"],
        [0.02, "o", "\r\ntwo"],
        [0.03, "r", "30x6"],
        [60, "o", "\r\nend"],
    )
    session = await played(path)
    await until(lambda: rows(session)[:2] == ["one", "two"])
    await until(lambda: session.screen is not None and session.screen.columns == 30)
    session.resize(50, 50)
    assert session.screen is not None
    assert (session.screen.columns, session.screen.rows) == (30, 6), "its size, not the window's"
    await until(lambda: "playing" in session.caption)
    session.send(b" ")
    await until(lambda: "paused" in session.caption)
    session.send(b"\x1b[F")
    await until(lambda: rows(session)[2] == "end")
    assert "1:00 of 1:00" in session.caption
    session.send(b"0")
    await until(lambda: rows(session)[0] == "one" and rows(session)[2] == "")
    session.send(b"++")
    await until(lambda: "4x" in session.caption)
    session.send(b".")
    await until(lambda: rows(session)[1] == "two")
    await session.close()


async def test_long_silence_is_cut_short(tmp_path: Path) -> None:
    path = cast(tmp_path / "a.cast", [0, "o", "one"], [3600, "o", " two"])
    session = await played(path)
    session.send(b"+" * 9)
    async with asyncio.timeout(20):
        await until(lambda: rows(session)[0] == "one two")
    await session.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "header"),
        ("{}", "header"),
        ('{"version": 1, "width": 80, "height": 24}', "header"),
        ('{"version": 2, "width": 80000, "height": 24}', "width"),
        ('{"version": 2, "width": 80, "height": 24}\n[1, "o"]\n', "event"),
        ('{"version": 2, "width": 80, "height": 24}\n[NaN, "o", "x"]\n', "event"),
    ],
)
async def test_what_is_no_recording_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "bad.cast"
    path.write_text(text)
    session = await played(path)
    await until(lambda: session.state is SessionState.CLOSED)
    assert session.problem is not None
    assert why in session.problem.why
    await session.close()


def test_a_recording_that_was_cut_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    path = cast(tmp_path / "a.cast", [0, "o", "one"], [1, "x", "unknown"])
    with path.open("a") as file:
        file.write('[2, "o", "tw')
    assert [event.data for event in recording.read(path).events] == ["one"]


@given(
    st.lists(st.one_of(st.text(max_size=40), st.just('{"version": 2, "width": 9, "height": 9}')), max_size=6)
)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("casts") / "any.cast"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        recording.read(path)
    except ConfigError as error:
        assert error.problem.why


async def test_the_recording_in_the_documents_is_one_that_plays() -> None:
    """scripts/pictures has the workbench record it of a real shell."""
    path = Path(__file__).parents[2] / "docs" / "pictures" / "shell.cast"
    told = recording.read(path)
    text = "".join(event.data for event in told.events)
    assert "uname -sr" in text and "Linux " in text and "<title>A tiny machine</title>" in text

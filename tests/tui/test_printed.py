"""What only prints is typed at the prompt as in a shell, and shown in a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.waiting import until
from tests.tui.conftest import Start


async def test_the_help_of_a_command_is_a_page(start: Start) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("help up")
        await driver.press("enter")
        await driver.wait_for("$ boxwright help up")
        await driver.wait_for("options of every command")


async def test_a_file_is_named_as_in_a_shell(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.json").write_text('{"builders": [{"type": "null"}]}')
    monkeypatch.chdir(tmp_path)
    async with start() as driver:
        await driver.press("colon")
        await driver.type("template inspect t.json")
        await driver.press("enter")
        await driver.wait_for("$ boxwright template inspect t.json")
        await driver.wait_for("null")


async def test_what_needs_a_terminal_of_its_own_says_what_to_do_instead(start: Start) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("template console")
        await driver.press("enter")
        await driver.wait_for("From a shell: boxwright template console")


async def test_a_command_that_hangs_says_for_how_long_and_is_ended_by_escape(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = tmp_path / "began", tmp_path / "ended"
    script = 'trap \'touch "$1"; exit\' TERM; touch "$0"; while :; do sleep 0.1; done'
    monkeypatch.setattr("tui.printed.PROGRAM", ("sh", "-c", script, str(began), str(ended)))
    async with start() as driver:
        await driver.press("colon")
        await driver.type("help up")
        await driver.press("enter")
        await driver.wait_for("esc cancels it")
        await until(began.exists)
        await driver.wait_for("runs for 0:0")
        await driver.press("escape")
        await until(ended.exists)
        assert "esc cancels it" not in driver.text


async def test_what_a_command_prints_is_shown_as_it_comes(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    script = 'printf "first\\nhalf"; while [ ! -e "$0" ]; do sleep 0.1; done; printf " of it\\nlast\\n"'
    monkeypatch.setattr("tui.printed.PROGRAM", ("sh", "-c", script, str(go)))
    async with start() as driver:
        await driver.press("colon")
        await driver.type("help up")
        await driver.press("enter")
        await driver.wait_for("half")
        assert "first" in driver.text and "esc cancels it" in driver.text
        go.touch()
        await driver.wait_for("half of it")
        await driver.wait_for("last")
        await driver.wait_for("esc closes")

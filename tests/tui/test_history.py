"""Earlier lines of the prompt come back, also in the next workbench."""

from __future__ import annotations

import stat

import pytest

from core.model import command as commands
from tests.support.fake_client import FakeClient
from tests.tui.conftest import Start
from tui import history
from tui.typed import complete


def test_lines_are_kept_once_the_latest_last_for_this_user_alone() -> None:
    for line in ("up web", "halt web", "up  web", "  "):
        history.remember(line)
    assert history.load() == ["halt web", "up web"]
    assert stat.S_IMODE(history.file().stat().st_mode) == 0o600
    for number in range(history.KEPT + 5):
        history.remember(f"up m{number}")
    assert len(history.load()) == history.KEPT
    history.file().write_bytes(b"\xff\xfe")
    assert history.load() == []


async def test_up_goes_back_to_earlier_lines(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("halt web")
        await driver.press("enter")
        assert isinstance(world.submitted[-1], commands.Halt)
    async with start() as driver:
        await driver.press("colon")
        await driver.type("he")
        await driver.press("up")
        assert driver.app.screen.query_one("Prompt Input").value == "halt web"
        await driver.press("down")
        assert driver.app.screen.query_one("Prompt Input").value == "he"


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("snapshot sa", "snapshot save "),
        ("up w", "up web "),
        ("halt web --fo", "halt web --force "),
        ("up x", "up x"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_verbs_options_and_machines_are_completed(text: str, completed: str) -> None:
    assert complete(text, ["db", "web"]) == completed

"""The workbench on a world in memory, driven without a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.filter import NoColor
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from core import resources
from tests.support import fake_client
from tests.support.fake_client import NOW, SHOP, FakeClient
from tests.support.waiting import until
from tui import app as starting
from tui.bridge import Bridge
from tui.look.wardrobe import Wardrobe
from tui.program import BoxwrightApp
from tui.terminal import Terminal


class Driver:
    """A running workbench: press keys, wait for what should come, read the screen."""

    def __init__(self, app: BoxwrightApp, pilot: Pilot[None], world: FakeClient) -> None:
        self.app = app
        self.pilot = pilot
        self.world = world

    @property
    def bench(self):  # type: ignore[no-untyped-def]
        return self.app.workbench

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.settle()

    async def type(self, text: str) -> None:
        names = {" ": "space", "/": "slash", "-": "minus", "!": "exclamation_mark", ".": "full_stop"}
        await self.press(*(names.get(letter, letter) for letter in text))

    async def resize(self, columns: int, rows: int) -> None:
        await self.pilot.resize_terminal(columns, rows)
        await self.settle()

    async def wear(self, terminal: Terminal) -> None:
        """As if it had been started on that terminal."""
        wardrobe = Wardrobe(Path("nowhere"), resources.themes(), terminal)
        self.app.look.terminal = terminal
        self.app.ansi_color = (theme := wardrobe.first("")).ansi
        # What Textual itself does where there is NO_COLOR.
        self.app._filters = [one for one in self.app._filters if not isinstance(one, NoColor)]
        if not terminal.colours:
            self.app._filters.append(NoColor())
        self.app._use(theme)
        await self.settle()

    async def settle(self) -> None:
        """Until all messages are worked off, and the news of the world have arrived."""
        await self.pilot.pause()
        await until(lambda: self.app.bridge._timer is None and self.app.type_ahead.idle, pause=0.005)
        await self.pilot.pause()

    def frame(self) -> list[str]:
        """The screen as text, one string a row."""
        width = self.app.size.width
        rows = []
        for strip in self.app.screen._compositor.render_strips():
            text = "".join(segment.text for segment in strip)
            rows.append(text[:width] if len(text) > width else text)
        return rows

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.frame())

    async def wait_for(self, text: str) -> None:
        """Until ``text`` is on the screen; fails with the screen after twenty seconds."""
        for _ in range(2000):
            if text in self.text:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")


Start = Callable[..., AbstractAsyncContextManager[Driver]]


@pytest.fixture
def world(tmp_path: Path) -> FakeClient:
    logs = tmp_path / "logs"
    logs.mkdir()
    return fake_client.shop(logs)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still (cursors, too), twenty seconds after everything in the world began."""
    still = SimpleNamespace(time=lambda: NOW + 20.0)
    for module in ("tui.views.contents", "tui.panes.lists", "tui.dialogs.operations", "tui.dialogs.progress"):
        monkeypatch.setattr(f"{module}.time", still)
    monkeypatch.setattr("tests.support.fake_client.time", still)
    monkeypatch.setattr(Input, "cursor_blink", False)
    monkeypatch.setattr(TextArea, "cursor_blink", False)
    monkeypatch.setattr("tui.log.view.time", SimpleNamespace(time=still.time, monotonic=time.monotonic))


@pytest.fixture
def start(world: FakeClient, clock: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """``async with start(size=(80, 24)) as driver``."""
    # A busy computer may take longer to look than a message is shown to people.
    monkeypatch.setattr("tui.workbench._NOTE_SECONDS", 300.0)

    @asynccontextmanager
    async def started(
        *,
        size: tuple[int, int] = (120, 40),
        terminal: Terminal | None = None,
        project: str = SHOP,
        client: FakeClient | None = None,
    ) -> AsyncIterator[Driver]:
        used = client or world
        bridge = Bridge(project, connector=used, frames=200.0)
        connection = asyncio.get_running_loop().create_task(bridge.run())
        app = starting.make(bridge, terminal or Terminal())
        try:
            async with app.run_test(size=size) as pilot:
                driver = Driver(app, pilot, used)
                while not bridge.state.seq:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
                await driver.settle()
                yield driver
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)

    return started

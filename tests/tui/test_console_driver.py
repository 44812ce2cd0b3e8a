"""The way past Textual: who gets what was typed in the moment in which a console is left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from textual._xterm_parser import XTermParser
from textual.app import App

from tui.console.driver import _OURS, PassingDriver
from tui.console.keyboard import Keyboard
from tui.console.keystream import Splitter

LEAVE = b"\x1d"


class Scribe:
    """A typist that still wants the keys until it hears that it was left."""

    def __init__(self, driver: PassingDriver) -> None:
        self._driver = driver
        self.got: list[object] = []
        self.wants = True

    def settle(self) -> None:
        """As a console does whenever it is drawn."""
        if self.wants:
            self._driver.grab(self, frozenset({LEAVE}), _OURS)

    def typed(self, keys: Sequence[bytes]) -> None:
        self.got += keys

    def pasted(self, text: str) -> None:
        self.got.append(text)

    def left(self) -> None:
        self.wants = False
        self.got.append("left")


async def test_what_is_typed_behind_the_chord_is_not_the_guests_though_it_is_drawn_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app: App[None] = App()
    seen: list[str] = []
    async with app.run_test():
        driver = PassingDriver(app)
        driver._parser = XTermParser()
        monkeypatch.setattr(driver, "process_message", lambda event: seen.append(getattr(event, "key", "")))
        scribe = Scribe(driver)
        scribe.settle()
        driver.caught_up()
        # Both come in one go to the thread that reads; the loop draws before it hears of it.
        driver._hand_out(Splitter().feed(b"a" + LEAVE + b"|"))
        scribe.settle()
        await asyncio.sleep(0)
        scribe.settle()
    assert scribe.got == [b"a", "left"]
    assert seen[-1] == "vertical_line"


async def test_what_was_caught_for_a_console_that_was_left_meanwhile_is_the_workbenchs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app: App[None] = App()
    seen: list[str] = []
    guest: list[bytes] = []
    async with app.run_test():
        driver = PassingDriver(app)
        monkeypatch.setattr(driver, "process_message", lambda event: seen.append(getattr(event, "key", "")))
        view: Any = SimpleNamespace(
            app=SimpleNamespace(_driver=driver), session=SimpleNamespace(type=guest.extend)
        )
        keyboard = Keyboard(view)
        keyboard.typing = False
        keyboard.typed([b"\x1b", b"w", b"\x1b[A"])
    assert seen == ["escape", "w", "up"]
    assert guest == []

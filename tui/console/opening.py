"""Going to consoles: shells, serial lines, recordings, and those that are open already."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core import amounts
from tui.bindings import CONSOLE
from tui.console.lists import consoles, recordings

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.choice import Choice
    from tui.console.tabs import Console
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


class Opening:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    def table(self) -> dict[str, Callable[[], None]]:
        """By the ids of the workbench's own commands."""
        return {
            "workbench.consoles": lambda: self._actions.begin(self._go_to_console()),
            "workbench.shell-here": self._in_build,
            "workbench.recordings": lambda: self._actions.begin(self._play_recording()),
            **{own.id: partial(self._bench.detail.console_command, own.id) for own in CONSOLE},
        }

    def shell(self, choice: Choice) -> None:
        assert choice.machine is not None
        self._open(self._bench.consoles.open_shell(choice.machine.key))

    def _in_build(self) -> None:
        choice = self._bench.choice
        if choice.build is None or choice.build.endpoint is None:
            reason = "a build has a guest to go to while it asks about a failed step, or was to keep it"
            self._bench.say(f"Shell here: {reason}.", "warn")
            return
        self._open(self._bench.consoles.open_in_build(choice.key, choice.project, choice.build.name))

    def close_gone(self, gone: Sequence[Console]) -> None:
        """Their machines are not there any more, so nothing leads to them."""
        bench = self._bench
        if any(console.id == bench.detail.active for console in gone):
            bench.focus_list(bench.pane)
        for console in gone:
            self._actions.aside(bench.detail.close_console(console.id))
        names = amounts.listed(sorted({console.name for console in gone}))
        bench.say(f"{names} was destroyed: what was open there is closed.", "warn")

    def serial(self, choice: Choice) -> None:
        assert choice.machine is not None
        self._open(self._bench.consoles.open_serial(choice.machine.key))

    def _open(self, console: Console) -> None:
        self._bench.detail.open_console(console)
        self._bench.focus_detail()

    async def _go_to_console(self) -> None:
        """To one of any machine."""
        from tui.dialogs.palette import Palette

        bench = self._bench
        entries = consoles(bench.consoles.all)
        palette = Palette(entries, "console", "No console is open: s opens one.", about="state")
        chosen = await self._app.push_screen_wait(palette)
        console = bench.consoles.find(chosen or "")
        if console is None:
            return
        if console.place.startswith("build:"):
            bench.go_to_build(console.place)
        else:
            self._go_to_machine(console.place)
        self._open(console)

    def _go_to_machine(self, key: str) -> None:
        bench = self._bench
        bench.lists.go_to("machines", key)
        bench.detail.show(bench.choice)

    async def _play_recording(self) -> None:
        """In a tab of the machine that is selected."""
        from tui.dialogs.palette import Palette

        machine = self._bench.choice.machine
        if machine is None:
            self._bench.say("Recordings are played in a tab of a machine, and none is selected.", "warn")
            return
        palette = Palette(
            recordings(time.time()),
            "recording",
            "Nothing was recorded yet: m in a console begins.",
            about="made",
        )
        chosen = await self._app.push_screen_wait(palette)
        if chosen:
            self._open(self._bench.consoles.open_recording(machine.key, Path(chosen)))

"""What stands in the tabs of the right side. Views are made when they are first looked at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from core.commands import Subject
from tui.builds.showing import caption
from tui.keys import screens_of, spoken
from tui.look.lines import Part
from tui.store import unattributed
from tui.views import config, failure, overview, pulse, snapshots, steps
from tui.views.lines import LinesView
from tui.views.runs import durations, last_time

if TYPE_CHECKING:
    from core.model.operation import Operation
    from tui.bridge import Bridge
    from tui.builds.screen import ScreenView
    from tui.console.area import ConsoleArea
    from tui.console.tabs import Consoles
    from tui.log.view import LogView
    from tui.look.look import Look
    from tui.views.detail import Detail
    from tui.views.live import Live
    from tui.workbench import Workbench

_ASK = 0.4
"""Seconds to wait before asking who wrote what is new in a log."""
_OF_LINES = ("overview", "steps", "snapshots", "config")
"""Tabs that hold lines."""
FILLED = (*_OF_LINES, "log", "screen")
"""Tabs that show the state, in contrast to consoles."""


class Contents:
    def __init__(self, detail: Detail, bridge: Bridge, consoles: Consoles, look: Look, live: Live) -> None:
        self._detail = detail
        self._bridge = bridge
        self._consoles = consoles
        self._look = look
        self._live = live
        self._asked_for_log = False
        self.area: ConsoleArea | None = None
        """Where consoles are shown, once there was one."""

    def fill(self, tab: str) -> None:
        """Bring the view of one of ``FILLED`` up to date with the state."""
        if tab == "log":
            self._update_log()
        elif tab == "screen":
            self._update_screen()
        else:
            self._update_lines(tab)

    def view(self, tab: str) -> Widget:
        if tab == "log":
            return self.log_view
        if tab == "screen":
            return self.screen_view
        if tab in _OF_LINES:
            found = self._detail.query(f"#{tab}").results(LinesView)
            view = next(iter(found), None)
            if view is None:
                view = LinesView(id=tab)
                self._detail.mount(view)
                # Its width is known only when it has its place.
                self._detail.call_after_refresh(self._detail.update)
            return view
        return self._console_view(tab)

    @property
    def log_view(self) -> LogView:
        from tui.log.view import LogView

        view = next(iter(self._detail.query(LogView)), None)
        if view is None:
            view = LogView(id="log")
            self._detail.mount(view)
        return view

    @property
    def screen_view(self) -> ScreenView:
        from tui.builds.screen import ScreenView

        view = next(iter(self._detail.query(ScreenView)), None)
        if view is None:
            view = ScreenView(id="screen")
            self._detail.mount(view)
        return view

    def _console_view(self, tab: str) -> Widget:
        from tui.console.area import ConsoleArea

        console = self._consoles.find(tab)
        assert console is not None
        if self.area is None:
            self.area = ConsoleArea(self._consoles, frames=self._look.terminal.console_frames)
            self._detail.mount(self.area)
        self.area.show(console)
        return self.area

    def _update_lines(self, tab: str) -> None:
        view = self.view(tab)
        assert isinstance(view, LinesView)
        # The view's own width is known only once it is laid out: it is as wide as all of this.
        width = max(20, self._detail.size.width - 1)
        signs, now, choice = self._look.signs, time.time(), self._detail.choice
        if tab == "snapshots" and choice.machine is not None:
            view.set_lines(
                *snapshots.content(choice.machine, width=width, signs=signs, now=now, key=self._key)
            )
        elif tab == "config" and (found := config.described(choice, self._detail.state)) is not None:
            view.set_lines(config.content(found, width=width, signs=signs))
        elif tab == "steps":
            self._update_steps(view, width, now)
        elif choice.kind is Subject.NONE:
            project = self._bridge.project
            view.set_lines(
                overview.empty(
                    self._key,
                    self._detail.state,
                    project,
                    self._detail.state.projects.get(project),
                    connected=bool(self._detail.state.seq),
                    width=width,
                    signs=signs,
                )
            )
        else:
            view.set_lines(
                overview.content(
                    choice,
                    self._detail.state,
                    width=width,
                    signs=signs,
                    now=now,
                    key=self._key,
                    pulse=self._pulse_lines(width),
                )
            )

    def _key(self, id: str) -> str:
        """As the user has it now."""
        return spoken(cast("Workbench", self._detail.screen).keymap.key(id))

    def _pulse_lines(self, width: int) -> list[list[Part]]:
        machine = self._detail.choice.machine
        if machine is None:
            return []
        return pulse.lines(self._live.pulse.rates(machine), machine, width=width, signs=self._look.signs)

    def _update_steps(self, view: LinesView, width: int, now: float) -> None:
        operation = self._detail.operation
        if operation is None:
            view.set_lines([[("Nothing was done here yet.", "muted")]])
            return
        last = last_time(operation, self._detail.state)
        if last is not None and not self._detail.state.known(last.id):
            self._bridge.want_operation(last.id)
        content = steps.content(
            operation,
            self._detail.state.steps_of(operation.id),
            width=width,
            signs=self._look.signs,
            now=now,
            tail=self._live.tail(operation, self._detail.choice, self._detail.state),
            shortcuts=failure.shortcuts(self._detail.choice, operation, self._detail.state, self._key),
            place=self._detail.runs.place(self._detail.choice, self._detail.state),
            before=durations(last, self._detail.state) if last is not None else {},
            asked=failure.asked(self._detail.choice, operation),
        )
        view.follow = not operation.state.ended
        view.set_lines(content.lines, content.targets)

    def _update_log(self) -> None:
        operation = self._detail.operation
        if operation is None or operation.id not in self._detail.state.log_paths:
            self.log_view.open([], "No output yet.")
            return
        from tui.log.drawing import log_file

        self._ask_who_wrote(operation)
        ended = operation.state.ended and self._detail.state.known(operation.id)
        place = self._detail.runs.place(self._detail.choice, self._detail.state)
        file = log_file(operation, self._detail.state, place=place)
        self.log_view.open([file], "It wrote nothing." if ended else "No output yet.")

    def _update_screen(self) -> None:
        choice = self._detail.choice
        self.screen_view.show(screens_of(choice), caption(choice, self._detail.state, self._look.signs))

    def _ask_who_wrote(self, operation: Operation) -> None:
        """Of what came since that was asked; not more often than some times a second."""
        if self._asked_for_log or unattributed(operation, self._detail.state) <= 0:
            return
        self._asked_for_log = True

        def ask() -> None:
            self._asked_for_log = False
            self._bridge.ask_again(operation.id)

        self._detail.set_timer(_ASK, ask)

"""The right side: the selected thing in tabs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from core.commands import Subject
from core.model.operation import Operation
from tui.builds.showing import caption
from tui.choice import NOTHING, Choice
from tui.console.tabs import Console, Consoles
from tui.keys import spoken
from tui.look.lines import Part, clean
from tui.store import State, unattributed
from tui.views import config, failure, overview, pulse, snapshots, steps
from tui.views.lines import LinesView
from tui.views.live import Live, measured, waits_for_guest
from tui.views.runs import Runs, durations, last_time
from tui.views.tabs import Tab, TabLine, tabs_of

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.builds.screen import ScreenView
    from tui.console.area import ConsoleArea
    from tui.console.view import ConsoleView
    from tui.log.view import LogView
    from tui.look.look import Look
    from tui.workbench import Workbench

_ASK = 0.4
"""Seconds to wait before asking who wrote what is new in a log."""
_OF_LINES = ("overview", "steps", "snapshots", "config")
"""Tabs that hold lines."""
_TICK = 1.0
"""Seconds between two looks at the clock, while something runs and is looked at."""


class Detail(Vertical):
    """Tabs and the view of the active one. Views are made when they are first looked at."""

    def __init__(self, bridge: Bridge, consoles: Consoles, look: Look, *, id: str) -> None:
        super().__init__(id=id)
        self._bridge = bridge
        self.consoles = consoles
        self._look = look
        self.choice: Choice = NOTHING
        self._active: dict[str, str] = {}
        self.area: ConsoleArea | None = None
        """Where consoles are shown, once there was one."""
        self.runs = Runs()
        self._live = Live(bridge, self._show_live)
        self._asked_for_log = False
        self._ticker: Timer | None = None
        self._labels: tuple[str, str] = ("", "")

    def compose(self) -> ComposeResult:
        yield TabLine(id="tabs")
        yield LinesView(id="overview")

    def on_mount(self) -> None:
        self._ticker = self.set_interval(_TICK, self._tick, pause=True)

    def on_resize(self) -> None:
        # Lines are wrapped for the width that the view has once all is laid out.
        self.call_after_refresh(self.update)

    # What is shown.

    @property
    def state(self) -> State:
        return self._bridge.state

    @property
    def active(self) -> str:
        """Id of the active tab."""
        tabs = [tab.id for tab in self._tabs()]
        operation = self.choice.operation
        usual = "steps" if operation is not None and not operation.state.ended else "overview"
        wanted = self._active.get(self.choice.key, usual)
        return wanted if wanted in tabs else "overview"

    @property
    def chosen_tab(self) -> str:
        """The active tab where somebody chose it and it will be there again, else ""."""
        tab = self._active.get(self.choice.key, "")
        return "" if self.is_console(tab) else tab

    def open_with(self, key: str, tab: str) -> None:
        """The thing with that key shows that tab, as soon as it is chosen."""
        self._active[key] = tab

    @property
    def operation(self) -> Operation | None:
        """The one that is looked at: the latest on the chosen thing, or one before it."""
        return self.runs.operation(self.choice, self.state)

    @property
    def view(self) -> Widget:
        """The widget of the active tab."""
        return self._view(self.active)

    def show(self, choice: Choice) -> None:
        """Another choice, or the same one with news."""
        if choice.key != self.choice.key:
            self._live.turned_away()
        self.choice = choice
        title = clean(choice.title) or "boxwright"
        self.label(title.replace("[", "\\["))
        self.update()

    def label(self, title: str | None = None, subtitle: str | None = None) -> None:
        """Set what stands in the border. Textual draws everything anew even where that stays the same."""
        if title is not None and title != self._labels[0]:
            self.border_title = title
        if subtitle is not None and subtitle != self._labels[1]:
            self.border_subtitle = subtitle
        self._labels = (
            self._labels[0] if title is None else title,
            self._labels[1] if subtitle is None else subtitle,
        )

    def activate(self, tab: str) -> None:
        self._active[self.choice.key] = tab
        self.update()
        if self.area is not None and self.is_console(self.active) and self.area.front is not None:
            self.area.front.looked_at()

    def show_steps(self) -> None:
        """Unless somebody is at work in a console."""
        console = self.consoles.find(self.active)
        if console is None or console.session.state.value == "closed":
            self.activate("steps")

    def turn(self, way: int) -> None:
        """To the tab to the right or left; round at the ends."""
        tabs = [tab.id for tab in self._tabs()]
        self.activate(tabs[(tabs.index(self.active) + way) % len(tabs)])

    def update(self) -> None:
        """Bring the active view up to date with the state."""
        active = self.active
        self.query_one(TabLine).set_tabs(self._tabs(), active)
        shown = self._view(active)
        for child in self.children:
            if not isinstance(child, TabLine):
                child.display = child is shown
        operation = self.operation
        if operation is not None and not self.state.known(operation.id):
            self._bridge.want_operation(operation.id)
        if active == "log":
            self._update_log()
        elif active == "screen":
            self._update_screen()
        elif active in _OF_LINES:
            self._update_lines(active)
        elif self.console is not None:
            # Its machine may be another one now, or none.
            self.console.session.changed()
        if self._ticker is not None:
            self._ticker.resume() if self._ticks() else self._ticker.pause()

    def _tabs(self) -> list[Tab]:
        return tabs_of(self.choice, self.consoles.of(self.choice.key), self._look.signs)

    # Views.

    def _view(self, tab: str) -> Widget:
        if tab == "log":
            return self.log_view
        if tab == "screen":
            return self.screen_view
        if tab in _OF_LINES:
            found = self.query(f"#{tab}").results(LinesView)
            view = next(iter(found), None)
            if view is None:
                view = LinesView(id=tab)
                self.mount(view)
                # Its width is known only when it has its place.
                self.call_after_refresh(self.update)
            return view
        return self._console_view(tab)

    @property
    def log_view(self) -> LogView:
        from tui.log.view import LogView

        view = next(iter(self.query(LogView)), None)
        if view is None:
            view = LogView(id="log")
            self.mount(view)
        return view

    @property
    def screen_view(self) -> ScreenView:
        from tui.builds.screen import ScreenView

        view = next(iter(self.query(ScreenView)), None)
        if view is None:
            view = ScreenView(id="screen")
            self.mount(view)
        return view

    def _console_view(self, tab: str) -> Widget:
        from tui.console.area import ConsoleArea

        console = self.consoles.find(tab)
        assert console is not None
        if self.area is None:
            self.area = ConsoleArea(self.consoles, frames=self._look.terminal.console_frames)
            self.mount(self.area)
        self.area.show(console)
        return self.area

    def _update_lines(self, tab: str) -> None:
        view = self._view(tab)
        assert isinstance(view, LinesView)
        # The view's own width is known only once it is laid out: it is as wide as all of this.
        width = max(20, self.size.width - 1)
        signs, now, choice = self._look.signs, time.time(), self.choice
        if tab == "snapshots" and choice.machine is not None:
            view.set_lines(*snapshots.content(choice.machine, width=width, signs=signs, now=now))
        elif tab == "config" and (found := config.described(choice, self.state)) is not None:
            view.set_lines(config.content(found, width=width, signs=signs))
        elif tab == "steps":
            self._update_steps(view, width, now)
        elif choice.kind is Subject.NONE:
            project = self._bridge.project
            view.set_lines(
                overview.empty(
                    self.state,
                    project,
                    self.state.projects.get(project),
                    connected=bool(self.state.seq),
                    width=width,
                    signs=signs,
                )
            )
        else:
            view.set_lines(
                overview.content(
                    choice,
                    self.state,
                    width=width,
                    signs=signs,
                    now=now,
                    key=self._key,
                    pulse=self._pulse_lines(width),
                )
            )

    def _key(self, id: str) -> str:
        """As the user has it now."""
        return spoken(cast("Workbench", self.screen).keymap.key(id))

    def _pulse_lines(self, width: int) -> list[list[Part]]:
        machine = self.choice.machine
        if machine is None:
            return []
        return pulse.lines(self._live.pulse.rates(machine), machine, width=width, signs=self._look.signs)

    def _show_live(self) -> None:
        if self.is_mounted and self.active in ("overview", "steps"):
            self._update_lines(self.active)

    def _update_steps(self, view: LinesView, width: int, now: float) -> None:
        operation = self.operation
        if operation is None:
            view.set_lines([[("Nothing was done here yet.", "muted")]])
            return
        last = last_time(operation, self.state)
        if last is not None and not self.state.known(last.id):
            self._bridge.want_operation(last.id)
        content = steps.content(
            operation,
            self.state.steps_of(operation.id),
            width=width,
            signs=self._look.signs,
            now=now,
            tail=self._live.tail(operation, self.choice, self.state),
            shortcuts=failure.shortcuts(self.choice, operation, self.state),
            place=self.runs.place(self.choice, self.state),
            before=durations(last, self.state) if last is not None else {},
            asked=failure.asked(self.choice, operation),
        )
        view.follow = not operation.state.ended
        view.set_lines(content.lines, content.targets)

    def _update_log(self) -> None:
        operation = self.operation
        if operation is None or operation.id not in self.state.log_paths:
            self.log_view.open([], "No output yet.")
            return
        from tui.log.drawing import log_file

        self._ask_who_wrote(operation)
        ended = operation.state.ended and self.state.known(operation.id)
        self.log_view.open(
            [log_file(operation, self.state)], "It wrote nothing." if ended else "No output yet."
        )

    def _update_screen(self) -> None:
        build = self.choice.build
        if build is not None:
            self.screen_view.show(build.screens, caption(self.choice, self.state, self._look.signs))

    def _ask_who_wrote(self, operation: Operation) -> None:
        """Of what came since that was asked; not more often than some times a second."""
        if self._asked_for_log or unattributed(operation, self.state) <= 0:
            return
        self._asked_for_log = True

        def ask() -> None:
            self._asked_for_log = False
            self._bridge.ask_again(operation.id)

        self.set_timer(_ASK, ask)

    def failed_provisioner(self) -> int:
        """Number of the provisioner that failed on the chosen machine: in the run that is shown, else in the
        latest; 0 where none did."""
        runs = (self.operation, self.choice.operation)
        found = (failure.failed_provisioner(self.choice, run, self.state) for run in runs)
        return next(filter(None, found), 0)

    # While something runs.

    def _ticks(self) -> bool:
        operation = self.operation
        running = operation is not None and not operation.state.ended
        return (self.active in ("steps", "overview", "log") and running) or self._pulses()

    def _pulses(self) -> bool:
        """What the machine uses is shown now, so it is measured."""
        return self.active == "overview" and self.display and measured(self.choice)

    def _tick(self) -> None:
        machine = self.choice.machine
        if self._pulses() and machine is not None:
            beat = self._live.pulse.beat(machine)
            self.run_worker(beat, group="pulse", exclusive=False, exit_on_error=False)
        waits = self.active == "steps" and waits_for_guest(self.operation, self.choice, self.state)
        if waits and machine is not None:
            look = self._live.look_at_serial(machine)
            self.run_worker(look, group="serial-tail", exclusive=True, exit_on_error=False)
        self.update()

    # Consoles.

    def open_console(self, console: Console) -> None:
        self.activate(console.id)

    async def close_console(self, tab: str) -> None:
        """Close the tab and what is behind it."""
        console = self.consoles.find(tab)
        view = self.area.close(tab) if self.area is not None else None
        if console is not None:
            self._active[console.place] = "overview"
            await self.consoles.close(console)
        if view is not None:
            await view.remove()
        self.update()

    def is_console(self, tab: str) -> bool:
        return self.consoles.find(tab) is not None

    def console_command(self, id: str) -> None:
        if self.console is not None and self.area is not None:
            self.area.perform(id)

    def settle_keys(self) -> None:
        if self.console is not None:
            self.console.keyboard.settle()

    def expects_keys(self, event: events.Key) -> bool:
        """Give the key to the console that is about to get the focus, where there is one."""
        console = self.console
        if console is None or not console.keyboard.expected:
            return False
        return console.keyboard.takes(event)

    @property
    def console(self) -> ConsoleView | None:
        """The console that has the keys, or would get them, where one is in sight."""
        return self.area.front if self.area is not None and self.is_console(self.active) else None

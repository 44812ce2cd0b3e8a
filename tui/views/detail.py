"""The right side: the selected thing in tabs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from core.model.operation import Operation
from tui.choice import NOTHING, Choice
from tui.console.tabs import Console, Consoles
from tui.look.lines import clean
from tui.store import State
from tui.views import failure
from tui.views.contents import FILLED, Contents
from tui.views.lines import LinesView
from tui.views.live import Live, measured, waits_for_guest
from tui.views.runs import Runs
from tui.views.tabs import Tab, TabLine, tabs_of

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.builds.screen import ScreenView
    from tui.console.area import ConsoleArea
    from tui.console.view import ConsoleView
    from tui.log.view import LogView
    from tui.look.look import Look

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
        self.runs = Runs()
        self._live = Live(bridge, self._show_live)
        self.contents = Contents(self, bridge, consoles, look, self._live)
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

    @property
    def area(self) -> ConsoleArea | None:
        """Where consoles are shown, once there was one."""
        return self.contents.area

    @property
    def log_view(self) -> LogView:
        return self.contents.log_view

    @property
    def screen_view(self) -> ScreenView:
        return self.contents.screen_view

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
        return self.contents.view(self.active)

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
        shown = self.contents.view(active)
        for child in self.children:
            if not isinstance(child, TabLine):
                child.display = child is shown
        operation = self.operation
        if operation is not None and not self.state.known(operation.id):
            self._bridge.want_operation(operation.id)
        if active in FILLED:
            self.contents.fill(active)
        elif self.console is not None:
            # Its machine may be another one now, or none.
            self.console.session.changed()
        if self._ticker is not None:
            self._ticker.resume() if self._ticks() else self._ticker.pause()

    def _tabs(self) -> list[Tab]:
        return tabs_of(self.choice, self.consoles.of(self.choice.key), self._look.signs)

    def _show_live(self) -> None:
        if self.is_mounted and self.active in ("overview", "steps"):
            self.contents.fill(self.active)

    def failed_provisioner(self) -> int:
        """Number of the provisioner that failed on the chosen machine: in the run that is shown, else in the
        latest; 0 where none did."""
        runs = (self.operation, self.choice.operation)
        found = (failure.failed_provisioner(self.choice, run, self.state) for run in runs)
        return next(filter(None, found), 0)

    def failed_files(self) -> list[Path]:
        """In which what failed is written, as far as they are there: in the run that is shown, else in the
        latest."""
        for run in (self.operation, self.choice.operation):
            found = [path for name in failure.files(self.choice, run) if (path := Path(name)).is_file()]
            if found:
                return found
        return []

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
        if console is not None and self._active.get(console.place) == tab:
            self._active[console.place] = "overview"
        view = self.area.close(tab) if self.area is not None else None
        if console is not None:
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

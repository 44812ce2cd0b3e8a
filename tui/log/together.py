"""Logs on the whole screen: one, or several in the order of time, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from core import amounts
from tui.dialogs.base import Dialog
from tui.log.drawing import log_file
from tui.log.view import LogView
from tui.panes.content import project_titles
from tui.prompt import Prompt
from tui.store import State, unattributed
from tui.views.runs import of_subject

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.log.opening import Logs
    from tui.program import BoxwrightApp

_TICK = 0.25


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """Which logs are shown as one."""

    logs: tuple[tuple[str, str], ...]
    """Ids of operations, and whose they are where that has to be told apart."""
    without: tuple[str, ...] = ()
    """Whose of which there is no log."""
    running: bool = False
    """Something runs that may still write one."""
    title: str


class Together(Dialog[str]):
    """``merged`` says of what, and is asked again as time goes on."""

    DEFAULT_CSS = """
    Together > .frame { width: 100%; max-width: 100%; height: 100%; max-height: 100%; }
    Together LogView { height: 1fr; }
    """

    def __init__(
        self,
        bridge: Bridge,
        merged: Callable[[State], Merged],
        logs: Logs,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._merged = merged
        self._logs = logs

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_subtitle = "esc closes"
        with frame:
            yield LogView(id="together")

    def on_mount(self) -> None:
        self._show()
        self.set_interval(_TICK, self._show)
        self.view.focus()

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def _show(self) -> None:
        state = self._bridge.state
        merged = self._merged(state)
        files = []
        for id, owner in merged.logs:
            operation = state.operations.get(id)
            if operation is None or id not in state.log_paths:
                self._bridge.want_operation(id)
                continue
            if unattributed(operation, state) > 0:
                self._bridge.ask_again(id)
            files.append(log_file(operation, state, owner))
        self.query_one(".frame", Vertical).border_title = merged.title.replace("[", "\\[")
        empty = "No output yet." if merged.running else "It wrote nothing."
        self.view.open(files, empty if len(files) == len(merged.logs) else "")

    def say(self, text: str, role: str) -> None:
        self.query_one(".frame", Vertical).border_subtitle = text.replace("[", "\\[")

    def on_key(self, event: events.Key) -> None:
        if self.query(Prompt):
            return
        if event.key == "q":
            event.stop()
            self.dismiss(None)
            return
        keymap = cast("BoxwrightApp", self.app).workbench.keymap
        pressed = (event.key, event.character or event.key)
        found = keymap.at("log", pressed)
        if keymap.key("workbench.filter") in pressed:
            event.stop()
            self.query_one(".frame", Vertical).mount(Prompt("search", "/", hint="text to search for"))
        elif found is not None:
            event.stop()
            self._perform(found.id)

    def _perform(self, id: str) -> None:
        if id == "log.copy":
            self._logs.copy(self.view.reader, self.say)
        elif id == "log.save":
            self.run_worker(self._logs.save(self.view.reader, self.say))
        else:
            self.view.perform(id)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        event.stop()

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        event.stop()
        self.query(Prompt).remove()
        if event.text is not None:
            self.view.find(event.text)
        self.view.focus()


def chosen(machines: Sequence[str], state: State) -> Merged:
    """Of each machine the last operation that wrote something; machines of one name in several projects are
    told apart by their projects."""
    known = [state.machines[key] for key in machines if key in state.machines]
    names = [machine.name for machine in known]
    titles = project_titles(state)
    logs: list[tuple[str, str]] = []
    without, running = [], False
    for machine in known:
        runs = of_subject(str(machine.key), state)
        running = running or any(not run.state.ended for run in runs)
        wrote = [run.id for run in runs if run.log_size]
        owner = f"{titles[machine.key.project]}/" if names.count(machine.name) > 1 else ""
        owner += machine.name
        if wrote:
            logs.append((wrote[-1], owner))
        else:
            without.append(owner)
    title = f"Log of {amounts.count(len(logs), 'machine')}: {amounts.listed([name for _, name in logs])}"
    if without:
        title += f"; none of {amounts.listed(without)}"
    return Merged(logs=tuple(logs), without=tuple(without), running=running, title=title)

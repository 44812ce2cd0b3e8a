"""Logs on the whole screen: one, or several in the order of time, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.dialogs.base import Dialog
from tui.log.drawing import log_file
from tui.log.view import LogView
from tui.panes.content import project_titles
from tui.prompt import Prompt
from tui.store import State, unattributed

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.log.opening import Logs
    from tui.program import BoxwrightApp

_TICK = 0.25


class Together(Dialog[str]):
    """``operations`` says of which ones: their ids, and whose they are where that has to be told apart."""

    DEFAULT_CSS = """
    Together > .frame { width: 100%; max-width: 100%; height: 100%; max-height: 100%; }
    Together LogView { height: 1fr; }
    """

    def __init__(
        self,
        bridge: Bridge,
        title: str,
        operations: Callable[[State], Sequence[tuple[str, str]]],
        logs: Logs,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._title = title
        self._operations = operations
        self._logs = logs

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = "esc closes"
        with frame:
            yield LogView(id="together")

    def on_mount(self) -> None:
        for id, _ in self._operations(self._bridge.state):
            self._bridge.want_operation(id)
        self._show()
        self.set_interval(_TICK, self._show)
        self.view.focus()

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def _show(self) -> None:
        state = self._bridge.state
        files = []
        for id, owner in self._operations(state):
            operation = state.operations.get(id)
            if operation is None or id not in state.log_paths:
                continue
            if unattributed(operation, state) > 0:
                self._bridge.ask_again(id)
            files.append(log_file(operation, state, owner))
        self.view.open(files)

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


def latest(machines: Sequence[str], state: State) -> list[tuple[str, str]]:
    """Of each machine the operation that runs, or ran last; machines of one name in several projects are
    told apart by their projects."""
    known = [state.machines[key] for key in machines if key in state.machines]
    names = [machine.name for machine in known]
    titles = project_titles(state)
    found = []
    for machine in known:
        operation = state.operation_of(str(machine.key))
        if operation is not None:
            project = titles[machine.key.project]
            owner = f"{project}/{machine.name}" if names.count(machine.name) > 1 else machine.name
            found.append((operation.id, owner))
    return found

"""Several logs in one view, their lines in the order of time, each machine in a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from core import amounts
from tui.dialogs.base import Dialog
from tui.log.drawing import LogFile, log_file
from tui.log.view import LogView
from tui.prompt import Prompt
from tui.store import State, unattributed

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.log.opening import Logs
    from tui.program import BoxwrightApp

_TICK = 0.25


class Together(Dialog[str]):
    """Of the machines with those keys: of each the operation that runs, or ran last."""

    DEFAULT_CSS = """
    Together > .frame { width: 100%; max-width: 100%; height: 100%; max-height: 100%; }
    Together LogView { height: 1fr; }
    """

    def __init__(self, bridge: Bridge, machines: Sequence[str], logs: Logs) -> None:
        super().__init__()
        self._bridge = bridge
        self._machines = tuple(machines)
        self._logs = logs

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = f"Log of {amounts.count(len(self._machines), 'machine')}"
        frame.border_subtitle = "esc closes"
        with frame:
            yield LogView(id="together")

    def on_mount(self) -> None:
        for operation in self._operations():
            self._bridge.want_operation(operation)
        self._show()
        self.set_interval(_TICK, self._show)
        self.view.focus()

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def _operations(self) -> list[str]:
        state = self._bridge.state
        found = [state.operation_of(key) for key in self._machines]
        return [operation.id for operation in found if operation is not None]

    def _show(self) -> None:
        state = self._bridge.state
        for id in self._operations():
            operation = state.operations[id]
            if state.known(id) and unattributed(operation, state) > 0:
                self._bridge.ask_again(id)
        self.view.open(files(self._machines, state))

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
        found = keymap.log(pressed)
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


def files(machines: Sequence[str], state: State) -> list[LogFile]:
    """Logs of machines; those of one name in several projects are told apart by their projects."""
    known = [state.machines[key] for key in machines if key in state.machines]
    names = [machine.name for machine in known]
    found = []
    for machine in known:
        operation = state.operation_of(str(machine.key))
        if operation is not None and operation.id in state.log_paths:
            project = machine.project_name or machine.key.project.rpartition("/")[2]
            owner = f"{project}/{machine.name}" if names.count(machine.name) > 1 else machine.name
            found.append(log_file(operation, state, owner))
    return found

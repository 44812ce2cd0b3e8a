"""Commands of one's own, from the settings: a line of the prompt, or something for a shell here or there."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tui.choice import Choice
from tui.settings import CustomCommand, On

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


class Custom:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    def perform(self, id: str) -> None:
        command = self._bench.keymap.custom.get(id)
        if command is None:
            return
        choice = self._bench.lists.choice_for(self._bench.lists.kind)
        if command.on is not On.ANYTHING and command.on != choice.kind.value:
            self._bench.say(f"{command.title or command.name}: no {command.on} is selected.", "warn")
        elif command.line:
            self._actions.asking.typed(command.line)
        elif command.guest:
            self._in_guest(command, choice)
        else:
            self._on_host(command, choice)

    def _in_guest(self, command: CustomCommand, choice: Choice) -> None:
        machine = choice.machine
        assert machine is not None
        if machine.endpoint is None:
            self._bench.say(f"{machine.name} cannot be reached now.", "warn")
            return
        console = self._bench.consoles.open_shell(machine.key)
        self._bench.detail.open_console(console)
        self._bench.focus_detail()
        # Written as soon as there is a shell.
        console.session.send(command.guest.encode() + b"\r")

    def _on_host(self, command: CustomCommand, choice: Choice) -> None:
        with self._app.suspend():
            print(f"$ {command.host}")
            status = subprocess.run(
                ["sh", "-c", command.host], env={**os.environ, **named(choice)}
            ).returncode
            input(f"\nIt ended with status {status}. Enter goes back to the workbench. ")
        self._app.refresh(layout=True)


def named(choice: Choice) -> dict[str, str]:
    """What is selected, as variables of the environment."""
    machine, box, build = choice.machine, choice.box, choice.build
    return {
        "BOXWRIGHT_MACHINE": machine.name if machine else "",
        "BOXWRIGHT_PROJECT": choice.project,
        "BOXWRIGHT_BOX": box.name if box else "",
        "BOXWRIGHT_BUILD": build.name if build else "",
    }

"""Once more after a failure: from the provisioner that failed, else the same; what a build asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.commands import BY_ID
from core.model.operation import StepState
from tui.choice import Choice
from tui.typed import parse

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


class Again:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    def table(self) -> dict[str, Callable[[], None]]:
        """By the ids of the workbench's own commands."""
        return {
            "workbench.again": self._again,
            "workbench.store": self._store,
            "workbench.clean-up": lambda: self._actions.begin(self._clean_up()),
        }

    def _again(self) -> None:
        choice = self._bench.choice
        number = self._bench.detail.failed_provisioner()
        reason = not_again(choice, number)
        if reason:
            self._bench.say(f"Retry from here: {reason}", "warn")
        elif choice.machine is not None and number:
            self._actions.perform(BY_ID["machine.provision"], {"start_at": str(number)})
        elif choice.machine is not None and choice.operation is not None:
            words = choice.operation.command_line.removeprefix("boxwright ")
            same = parse(words, [choice.machine], choice.project)
            self._actions.perform(same.spec, same.values, choice)
        elif choice.build is not None and choice.build.question:
            self._actions.begin(self._actions.answering.ask(choice))
        else:
            # It begins behind the last step that went well.
            self._actions.perform(BY_ID["build.run"], {}, choice)

    def _store(self) -> None:
        """A template leaves its box as a file: put it where machines find it."""
        choice = self._bench.choice
        build = choice.build
        if build is None:
            self._bench.say("Into the store: no build is selected.", "warn")
            return
        if not build.box_files:
            there = f"its box is there: {build.box.name} {build.box.version}" if build.box else ""
            self._bench.say(f"Into the store: {there or f'{build.name} has left no box'}.", "warn")
        name = f"{Path(choice.project).name}/{build.name}"
        known = [box.version for box in self._bench.bridge.state.boxes.values() if box.name == name]
        version = 1 + max((int(version) for version in known if version.isdecimal()), default=0)
        for number, file in enumerate(build.box_files):
            values = {"source": file, "name": name, "version": str(version + number)}
            self._actions.perform(BY_ID["box.add"], values, choice)

    async def _clean_up(self) -> None:
        """What is left of builds that were to keep their machines."""
        from tui.dialogs.confirm import Confirm, Question

        question = Question(
            title="Remove what failed builds left?",
            goes=("the machines that failed builds were to keep, with what is on their disks",),
            stays=("boxes, artifacts, and states that builds go on from",),
            yes="Remove",
            line="boxwright layer prune --kept",
        )
        if await self._app.push_screen_wait(Confirm(question)):
            self._actions.perform(BY_ID["layer.prune"], {"kept": True})


def not_again(choice: Choice, failed_provisioner: int) -> str:
    """Why there is nothing to retry, in a sentence; "" where there is."""
    ended = choice.operation.state if choice.operation is not None else StepState.WAITING
    failed = ended in (StepState.FAILED, StepState.CANCELLED)
    if choice.machine is not None:
        again = failed_provisioner or failed
        return "" if again else f"What was done last with {choice.machine.name} has not failed."
    if choice.build is None:
        return "No machine and no build is selected."
    if choice.build.question or failed:
        return ""
    return f"{choice.title} has not failed, and asks nothing."

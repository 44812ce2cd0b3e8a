"""What goes to the engine: what is missing is asked for, and what would be lost; the end of it is told."""

from __future__ import annotations

import functools
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.commands import CommandSpec, Subject
from core.model.command import RunBuild
from core.model.operation import Operation, StepState
from tui import orders
from tui.choice import Choice
from tui.keys import spoken
from tui.orders import Values
from tui.printed import PRINTING
from tui.type_ahead import without_waiting
from tui.views.snapshots import offered

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


class Submitting:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench
        self._bridge = workbench.bridge
        self._mine: dict[str, str] = {}
        """Operations that were begun here, and have not been seen to end: their titles."""

    def line(self, spec: CommandSpec, choice: Choice, values: Values) -> str:
        """The equivalent command line."""
        return orders.line_of(spec, choice, values, self._bridge.project)

    async def order(self, spec: CommandSpec, choice: Choice, given: dict[str, Any], *, sure: bool) -> None:
        """Ask for what is missing, ask before something is lost (unless ``sure``), then submit."""
        values = {**orders.defaults(spec, choice), **given}
        if spec.id in ("snapshot.restore", "snapshot.delete") and "name" not in given:
            name = await self._snapshot(spec, choice)
            if not name:
                return
            values["name"] = name
        if orders.missing(spec, values):
            from tui.dialogs.form import Form

            def preview(filled: Values) -> str:
                return self.line(spec, choice, filled)

            subject = choice.title if spec.subject is not Subject.NONE else ""
            wrong = functools.partial(taken, spec, choice)
            answer = await self._app.push_screen_wait(Form(spec, values, preview, subject, wrong))
            if answer is None:
                return
            values |= answer
        if spec.destructive and not sure and not values.get("dry_run"):
            from tui.dialogs.confirm import Confirm, question

            line = self.line(spec, choice, values)
            if not await self._app.push_screen_wait(
                Confirm(question(spec, choice, values, self._bridge.state, line))
            ):
                return
        await self._submit(spec, choice, values)

    async def _snapshot(self, spec: CommandSpec, choice: Choice) -> str | None:
        """The name of one of the machine's."""
        from tui.dialogs.palette import Palette

        snapshots = choice.machine.snapshots if choice.machine is not None else ()
        entries = offered(snapshots, self._app.look.signs, time.time())
        title = f"{spec.title}: snapshots of {choice.title}"
        name: str | None = await self._app.push_screen_wait(Palette(entries, "snapshot", title=title))
        return name

    async def _submit(self, spec: CommandSpec, choice: Choice, values: Values) -> None:
        if spec.id in PRINTING:
            self._actions.print(spec, shlex.split(self.line(spec, choice, values))[1:])
            return
        command = orders.build(spec, choice, values, str(Path.cwd()))
        if isinstance(command, RunBuild):
            # Templates read it, and the engine has one of its own.
            command = msgspec.structs.replace(command, environment=dict(os.environ))
        self._actions.last_line = self.line(spec, choice, values)
        without_waiting()
        operation = await self._bridge.submit(command)
        self._mine[operation] = spec.title
        self._bridge.want_operation(operation)
        if choice.key and choice.key == self._bench.choice.key and spec.id != "machine.destroy":
            self._bench.detail.show_steps()
        self._bench.say(f"$ {self._actions.last_line}", "accent")

    async def all(
        self, spec: CommandSpec, chosen: Sequence[Choice], values: dict[str, Any], *, sure: bool
    ) -> None:
        """The same for several at once."""
        from tui.bulk import Bulk
        from tui.dialogs.progress import Progress

        bulk = Bulk(self._app, self._bridge, self.line)
        begun = await bulk.run(spec, chosen, values, sure=sure)
        if not begun:
            return
        for each in begun:
            if each.operation:
                self._mine[each.operation] = spec.title
        subject = await self._app.push_screen_wait(Progress(spec.title, begun, lambda: self._bridge.state))
        if subject:
            self._bench.lists.listed.select(subject)
            self._actions.going.show_tab("steps")
        marked = len(self._bench.lists.listed.marked)
        back, runs = (self._bench.keymap.key(id) for id in ("workbench.back", "operation.list"))
        if marked:
            self._bench.say(
                f"{marked} are still marked: the next key is for them ({spoken(back)} takes the marks away). "
                f"{spoken(runs)} lists what came of it.",
                "accent",
            )

    def began(self, operation: str) -> bool:
        """It was begun here, and is not seen to have ended."""
        return operation in self._mine

    def ended(self, changed: frozenset[str]) -> None:
        """Tell of operations that were begun here and have ended."""
        for id in list(self._mine):
            if "*" not in changed and f"operation:{id}" not in changed:
                continue
            operation = self._bridge.state.operations.get(id)
            if operation is not None and operation.state.ended:
                del self._mine[id]
                self._tell(operation)

    def _tell(self, operation: Operation) -> None:
        signs = self._app.look.signs
        if operation.state is StepState.FAILED and operation.problem is not None:
            self._bench.say(f"{signs.failed} {operation.title}: {operation.problem.what}", "bad")
        elif operation.state is StepState.CANCELLED:
            self._bench.say(
                f"{signs.cancelled} {operation.title}: cancelled; what was half done is undone", "warn"
            )
        else:
            told = self._actions.reading.result(operation)
            brief = self._actions.reading.in_one_line(told)
            self._bench.say(f"{signs.done} {operation.title}: {brief or 'done'}", "good")
            if told and not brief:
                self._actions.reading.show_result(operation.title, told)


def taken(spec: CommandSpec, choice: Choice, values: Values) -> str:
    """Why a snapshot cannot be kept under that name, and what would help; "" where it can."""
    names = [snapshot.name for snapshot in choice.machine.snapshots] if choice.machine is not None else []
    if spec.id != "snapshot.save" or values.get("name") not in names:
        return ""
    return f"{choice.title} has a snapshot {values['name']!r}: take another name, or delete that one first."

"""What keys do with a log besides moving in it: earlier runs, copying, saving, several machines at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core import amounts
from core.model.query import GetLog, Log
from tui.bindings import LOG
from tui.console.clipboard import CAP
from tui.log import keeping

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.log.reader import Reader
    from tui.program import BoxwrightApp
    from tui.store import State
    from tui.workbench import Workbench


class Logs:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    def table(self) -> dict[str, Callable[[], object]]:
        """By the ids of the workbench's own commands."""
        return {
            **{own.id: partial(self._perform, own.id) for own in LOG},
            "workbench.run-before": lambda: self._turn(-1),
            "workbench.run-after": lambda: self._turn(1),
            "workbench.copy-log": lambda: self._actions.aside(self._copy_unseen()),
            "workbench.logs": lambda: self._actions.begin(self._together()),
        }

    def _perform(self, id: str) -> None:
        if id == "log.copy":
            self.copy(self._bench.detail.log_view.reader, self._bench.say)
        elif id == "log.save":
            self._actions.aside(self.save(self._bench.detail.log_view.reader, self._bench.say))
        else:
            self._bench.detail.log_view.perform(id)

    def _turn(self, way: int) -> None:
        detail = self._bench.detail
        reason = detail.runs.turn(self._bench.choice, detail.state, way)
        if reason:
            self._bench.say(reason, "warn")
            return
        if detail.active not in ("log", "steps"):
            detail.activate("steps")
        detail.update()
        operation = detail.operation
        if operation is not None:
            place = detail.runs.place(self._bench.choice, detail.state)
            self._bench.say(f"{operation.title}: {operation.state.value}, {place}", "muted")

    # Taking it away.

    def copy(self, reader: Reader, say: Callable[[str, str], None]) -> None:
        text, whole = keeping.ending(reader, CAP)
        if not text:
            say("There is nothing to copy.", "warn")
            return
        self._app.copy_to_clipboard(text)
        lines = amounts.count(text.count("\n"), "line")
        say(f"Copied {'all of it' if whole else 'its end'}: {lines}.", "accent")

    async def _copy_unseen(self) -> None:
        """Without going to the log."""
        operation = self._bench.detail.operation
        if operation is None:
            self._bench.say("Nothing was done here yet.", "warn")
            return
        answer = await self._bench.bridge.query(GetLog(operation=operation.id, offset=0, limit=1))
        size = answer.size if isinstance(answer, Log) else 0
        start = max(0, size - CAP)
        answer = await self._bench.bridge.query(GetLog(operation=operation.id, offset=start, limit=CAP))
        text = keeping.plain(answer.data) if isinstance(answer, Log) else ""
        if not text:
            self._bench.say("It wrote nothing.", "warn")
            return
        self._app.copy_to_clipboard(text)
        lines = amounts.count(text.count("\n"), "line")
        self._bench.say(f"Copied {'its end' if start else 'all of it'}: {lines}.", "accent")

    async def save(self, reader: Reader, say: Callable[[str, str], None]) -> None:
        from tui.dialogs.line import Ask

        operation = self._bench.detail.operation
        name = operation.title.replace(" ", "-").replace("/", "-") if operation is not None else "boxwright"
        proposed = str(Path.cwd() / f"{name}.log")
        path = await self._app.push_screen_wait(Ask("Save the log", "To which file?", text=proposed))
        if path:
            size = await asyncio.to_thread(keeping.save, reader, path)
            say(f"{self._app.look.signs.done} Wrote {amounts.size(size)} to {path}.", "good")

    # Of several machines.

    async def _together(self) -> None:
        """The logs of all marked machines, or of all that are shown, in the order of time."""
        from tui.log.together import Together, chosen

        lists = self._bench.lists
        keys = lists.machines.marked or tuple(row.key for row in lists.machines.rows)
        first = chosen(keys, self._bench.bridge.state)
        if not first.logs and not first.running:
            self._bench.say(f"There is no log of {amounts.listed(first.without) or 'any machine'}.", "warn")
            return
        await self._app.push_screen_wait(
            Together(self._bench.bridge, lambda state: chosen(keys, state), self)
        )

    async def show(self, operation: str, title: str) -> None:
        """Of one operation, whatever is selected."""
        from tui.log.together import Merged, Together

        def only(state: State) -> Merged:
            found = state.operations.get(operation)
            running = found is None or not found.state.ended
            return Merged(logs=((operation, ""),), running=running, title=title)

        await self._app.push_screen_wait(Together(self._bench.bridge, only, self))

"""What keys do with the screen of a machine, and what is said below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.model.operation import StepState
from tui.choice import Choice
from tui.look.lines import Part, clean
from tui.look.signs import Signs
from tui.panes.content import progress_text
from tui.store import State

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


def caption(choice: Choice, state: State, signs: Signs) -> list[Part]:
    """The step that runs: what it types and how far it is."""
    if choice.build is not None and choice.build.question:
        return [(f"{signs.asks} {clean(choice.build.question)}", "warn")]
    operation = choice.operation
    steps = state.steps_of(operation.id) if operation is not None else ()
    running = [step for step in steps if step.state is StepState.RUNNING]
    if not running:
        return []
    step = running[-1]
    parts: list[Part] = [(clean(step.name), "busy")]
    if step.progress is not None:
        parts.append((f"  {progress_text(step.progress, signs)}", "busy"))
    return [*parts, (f"  {clean(step.detail)}", "text")] if step.detail else parts


class Showing:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    def table(self) -> dict[str, Callable[[], object]]:
        """By the ids of the workbench's own commands."""
        return {"screen.save": lambda: self._actions.aside(self._save()), "screen.next": self._next}

    def _next(self) -> None:
        if not self._bench.detail.screen_view.next_source():
            self._bench.say("Next screen: there is only this one.", "warn")

    async def _save(self) -> None:
        from tui.builds.screen import save
        from tui.dialogs.line import Ask

        # What is to be seen now, not what will be there once a name was typed.
        picture = self._bench.detail.screen_view.picture
        if picture is None:
            self._bench.say("Save: nothing is to be seen yet.", "warn")
            return
        proposed = str(Path.cwd() / f"{self._bench.choice.title}.png")
        path = await self._app.push_screen_wait(Ask("Save the screen", "To which file?", text=proposed))
        if path:
            await asyncio.to_thread(save, picture, path)
            size = f"{picture.width} x {picture.height}"
            self._bench.say(f"{self._app.look.signs.done} Wrote {size} to {path}.", "good")

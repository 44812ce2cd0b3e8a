"""Several operations in one view: how far each is, and how many have ended. Closing it stops nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from core import amounts
from core.model.operation import StepState
from tui.bulk import Begun
from tui.dialogs.base import Dialog
from tui.look import signs as signs_of
from tui.look.lines import Part, clean, spread
from tui.look.signs import Signs
from tui.panes.content import doing
from tui.store import State
from tui.views.lines import LinesView

_TICK = 0.25


class Progress(Dialog[str]):
    """Returns the subject of the line that was chosen, to be looked at."""

    def __init__(self, title: str, begun: Sequence[Begun], state: Callable[[], State]) -> None:
        super().__init__()
        self._title = title
        self._begun = tuple(begun)
        self._state = state

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_subtitle = "enter looks at one, esc closes; all of it goes on"
        with frame:
            yield LinesView(id="progress")

    def on_mount(self) -> None:
        self.query_one(LinesView).focus()
        self._show()
        self._timer = self.set_interval(_TICK, self._show)

    def on_resize(self) -> None:
        # How wide the lines are is known only once all is laid out.
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        state = self._state()
        view = self.query_one(LinesView)
        width = max(20, view.size.width or 60)
        signs = view.signs
        lines = [line(each, state, width, signs, time.time()) for each in self._begun]
        targets = {number: each.operation for number, each in enumerate(self._begun) if each.operation}
        view.styles.height = max(1, min(len(lines), int(self.app.size.height * 0.9) - 2))
        view.set_lines(lines, targets)
        frame = self.query_one(".frame", Vertical)
        frame.border_title = f"{self._title}: {summary(self._begun, state)}".replace("[", "\\[")
        if all(_ended(each, state) for each in self._begun):
            self._timer.stop()

    def on_lines_view_chosen(self, event: LinesView.Chosen) -> None:
        event.stop()
        operation = self._state().operations.get(event.target)
        self.dismiss(operation.subject if operation is not None else None)


def line(begun: Begun, state: State, width: int, signs: Signs, now: float) -> list[Part]:
    """How one of them stands."""
    name: list[Part] = [(f"{clean(begun.title):<14} ", "text")]
    if begun.refused:
        return [(f"{signs.skipped} ", "muted"), *name, (clean(begun.refused), "muted")]
    operation = state.operations.get(begun.operation)
    if operation is None:
        return [(f"{signs.waiting} ", "muted"), *name, ("asked for", "muted")]
    sign, role = signs_of.of_step(operation.state, signs)
    if operation.problem is not None and operation.state is StepState.FAILED:
        said = operation.problem.what
    else:
        said = doing(state, operation, signs) or operation.state.value
    took = amounts.duration((operation.ended or now) - operation.started) if operation.started else ""
    return spread(
        [(f"{sign} ", role), *name, (clean(said), role if operation.state.ended else "busy")],
        [(took, "muted")],
        width,
        signs.ellipsis,
    )


def summary(begun: Sequence[Begun], state: State) -> str:
    """``3 of 5 done, 1 failed, 1 left out``."""
    asked = [each for each in begun if each.operation]
    states = [state.operations[each.operation].state for each in asked if each.operation in state.operations]
    failed = sum(one in (StepState.FAILED, StepState.CANCELLED) for one in states)
    done = sum(one.ended for one in states) - failed
    words = [f"{done} of {len(asked)} done"]
    if failed:
        words.append(f"{failed} failed")
    if len(begun) > len(asked):
        words.append(f"{len(begun) - len(asked)} left out")
    return ", ".join(words)


def _ended(begun: Begun, state: State) -> bool:
    if not begun.operation:
        return True
    operation = state.operations.get(begun.operation)
    return operation is not None and operation.state.ended

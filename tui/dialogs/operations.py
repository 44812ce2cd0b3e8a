"""What the engine does, is about to do, and did: each with how long it took and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from core import amounts
from core.model.operation import Operation, StepState
from tui.dialogs.base import Dialog
from tui.look import signs as signs_of
from tui.look.lines import clean
from tui.look.signs import Signs
from tui.panes.rows import Row, RowList
from tui.store import State

_TICK = 0.5
_ORDER = {StepState.RUNNING: 0, StepState.WAITING: 1}


class Operations(Dialog[str]):
    """Returns the id of the one that was chosen. ``earlier``: those that the state does not know any more."""

    DEFAULT_CSS = """
    Operations > .frame { width: 110; height: 80%; }
    Operations RowList { height: 1fr; }
    """

    def __init__(self, state: Callable[[], State], earlier: Sequence[Operation]) -> None:
        super().__init__()
        self._state = state
        self._earlier = {operation.id: operation for operation in earlier}

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = "Operations"
        frame.border_subtitle = "enter shows its log, esc closes"
        with frame:
            header = ("", "what", "state", "took", "when", "came of it")
            yield RowList(id="operations", title="", header=header, flexible=5)

    def on_mount(self) -> None:
        self._show()
        self.set_interval(_TICK, self._show)
        self.query_one(RowList).focus()

    def _show(self) -> None:
        known = {**self._earlier, **self._state().operations}
        listed = self.query_one(RowList)
        found = rows(list(known.values()), listed.signs, time.time())
        listed.set_rows(found, [[("Nothing was done yet.", "muted")]])

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.dismiss(event.rows.selected)


def rows(operations: Sequence[Operation], signs: Signs, now: float) -> list[Row]:
    """What runs, what waits, then what has ended, the latest first."""

    def latest(one: Operation) -> tuple[float, str]:
        return one.ended or one.started or one.submitted, one.id

    ordered = sorted(operations, key=latest, reverse=True)
    ordered.sort(key=lambda one: _ORDER.get(one.state, 2))
    return [_row(operation, signs, now) for operation in ordered]


def _row(operation: Operation, signs: Signs, now: float) -> Row:
    sign, role = signs_of.of_step(operation.state, signs)
    seconds = max(0.0, (operation.ended or now) - operation.started)
    took = amounts.duration(seconds) if operation.started else ""
    when = operation.ended or operation.started or operation.submitted
    said = operation.problem.what if operation.problem is not None else operation.detail
    return Row(
        operation.id,
        (
            (sign, role),
            (clean(operation.title), "text"),
            (operation.state.value, role),
            (took, "muted"),
            (amounts.ago(when, now), "muted"),
            (clean(said), "bad" if operation.state is StepState.FAILED else "muted"),
        ),
    )

"""Where one goes in the workbench: along the tabs, into what a line stands for, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.commands import BY_ID
from tui.type_ahead import ANSWER, without_waiting

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.console.tabs import Console
    from tui.workbench import Workbench


class Going:
    def __init__(self, actions: Actions, workbench: Workbench) -> None:
        self._actions = actions
        self._bench = workbench

    def show_tab(self, tab: str) -> None:
        self._bench.detail.activate(tab)
        self._bench.focus_detail()

    def turn(self, way: int) -> None:
        inside = self._bench.in_detail or self._bench.focused is None
        self._bench.detail.turn(way)
        console = self._bench.detail.console
        if console is not None:
            # Who goes along the tabs wants to go on.
            console.keyboard.typing = False
        if inside or self._bench.has_class("-narrow"):
            self._bench.focus_detail()

    def close_tab(self) -> None:
        detail = self._bench.detail
        if not detail.is_console(detail.active):
            self._bench.say("Close tab: only the tab of a console can be closed.", "warn")
            return
        front = detail.console
        tab = front.id if front is not None and front.id else detail.active
        gone, following = detail.consoles.closed_with(tab)
        if following is None:
            # First: Textual would give the keys of a view that goes away to any other.
            self._bench.focus_list(self._bench.pane)
        else:
            self._go_on_to(following)
        for console in gone:
            self._actions.aside(detail.close_console(console.id))

    def _go_on_to(self, following: Console) -> None:
        inside, detail = self._bench.in_detail, self._bench.detail
        detail.activate(following.id)
        if detail.console is not None:
            # Who closes one may want to close the next, too.
            detail.console.keyboard.typing = False
        if inside:
            self._bench.focus_detail()

    def back(self) -> None:
        detail = self._bench.detail
        if self._bench.in_detail and detail.active == "log" and detail.log_view.reader.finding is not None:
            detail.log_view.find("")
        elif self._bench.in_detail:
            self._bench.focus_list(self._bench.pane)
        else:
            self._bench.lists.listed.clear_marks() or self._bench.lists.clear_filter()

    def chosen(self, tab: str, target: str) -> None:
        """Enter on a line of a view: a step shows its output, a snapshot is restored."""
        if tab == "steps" and target.startswith("step:"):
            self._actions.begin(self._show_output(int(target.partition(":")[2])))
        elif tab == "snapshots":
            self._actions.perform(BY_ID["snapshot.restore"], {"name": target})

    async def _show_output(self, step: int) -> None:
        from core.model.query import GetOperation, OperationView

        operation = self._bench.detail.operation
        if operation is None:
            return
        without_waiting(ANSWER)
        view = await self._bench.bridge.query(GetOperation(operation=operation.id))
        self.show_tab("log")
        if isinstance(view, OperationView):
            found = next((segment for segment in view.segments if segment.step == step), None)
            if found is not None:
                self._bench.detail.log_view.show_offset(found.offset)

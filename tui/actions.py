"""What each command does in the workbench: ask what is needed, tell the engine, show what comes of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.commands import BY_ID, CommandSpec, Subject
from core.errors import BoxwrightError
from core.model.command import RunBuild
from core.model.operation import Operation, StepState
from core.model.problem import Problem
from tui import orders
from tui.again import Again
from tui.asking import Asking
from tui.beginning import Beginning
from tui.bindings import Own
from tui.builds.questions import Answering
from tui.builds.showing import Showing
from tui.choice import Choice
from tui.console.opening import Opening
from tui.custom import Custom
from tui.editing import Edits
from tui.keys import out_of_place, refusal
from tui.log.opening import Logs
from tui.look.lines import Part
from tui.orders import Values
from tui.printed import PRINTING, Pages
from tui.reading import TOLD, Reading
from tui.switching import Switching
from tui.views.steps import problem_lines

if TYPE_CHECKING:
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench


class Actions:
    """Works on what the workbench has selected."""

    def __init__(self, app: BoxwrightApp, workbench: Workbench) -> None:
        self._app = app
        self._bench = workbench
        self._bridge = workbench.bridge
        self._mine: dict[str, str] = {}
        """Operations that were begun here, and have not been seen to end: their titles."""
        self.last_line = ""
        self._reading = Reading(self, app, workbench)
        self.opening = Opening(self, app, workbench)
        self.logs = Logs(self, app, workbench)
        self._switching = Switching(self, app, workbench)
        self._edits = Edits(self, app, workbench)
        self._custom = Custom(self, app, workbench)
        self.asking = Asking(self, app, workbench)
        self.beginning = Beginning(app, workbench)
        self.pages = Pages(app, workbench)
        self.answering = Answering(self, app, workbench)
        self._here: dict[str, Callable[[Choice], Any]] = {
            "machine.ssh": self.opening.shell,
            "machine.serial": self.opening.serial,
            "machine.port": lambda _choice: self._show_tab("overview"),
            "snapshot.list": lambda _choice: self._show_tab("snapshots"),
            "box.show": lambda _choice: self._show_tab("overview"),
            "box.list": lambda _choice: self._bench.focus_list("boxes"),
            "machine.status": lambda _choice: self._switching.show_one(),
            "machine.global-status": lambda _choice: self._switching.show_all(),
            "build.screen": lambda _choice: self._show_tab("screen"),
            "operation.logs": lambda _choice: self._show_tab("log"),
            "operation.show": lambda _choice: self._show_tab("steps"),
            "operation.cancel": self._cancel,
            **self._reading.table(),
        }
        self._own = self._own_table()

    def _own_table(self) -> dict[str, Callable[[], Any]]:
        bench = self._bench
        return {
            "workbench.filter": self.asking.filter,
            "workbench.prompt": self.asking.command,
            "workbench.palette": lambda: self._begin(self.asking.palette()),
            "workbench.help": self.asking.help,
            "workbench.tour": self.asking.tour,
            "workbench.open": bench.focus_detail,
            "workbench.back": self._back,
            "workbench.machines": lambda: bench.focus_list("machines"),
            "workbench.boxes": lambda: bench.focus_list("boxes"),
            "workbench.builds": lambda: bench.focus_list("builds"),
            "workbench.next-pane": lambda: bench.next_pane(1),
            "workbench.previous-pane": lambda: bench.next_pane(-1),
            "workbench.previous-tab": lambda: self._turn(-1),
            "workbench.next-tab": lambda: self._turn(1),
            "workbench.close-tab": self._close_tab,
            "workbench.edit": lambda: self._begin(self._edits.here()),
            "workbench.editor": lambda: self._begin(self._edits.in_editor()),
            "workbench.settings": lambda: self._begin(self._edits.settings(self._app.settings.path)),
            "workbench.mark": lambda: bench.lists.listed.mark(),
            "workbench.mark-range": lambda: bench.lists.listed.mark_range(),
            "workbench.mark-all": lambda: bench.lists.listed.mark_all(),
            "workbench.sort": lambda: self._sorted(bench.lists.listed.sort_next()),
            "workbench.reverse": lambda: self._sorted(bench.lists.listed.sort_reversed()),
            "workbench.new": lambda: self._begin(self.beginning.machine()),
            **self.opening.table(),
            **Again(self, self._app, bench).table(),
            **self.logs.table(),
            **Showing(self, self._app, bench).table(),
            "workbench.everywhere": lambda: self._begin(self._switching.ask()),
            "workbench.bigger": lambda: bench.room.turn(1),
            "workbench.smaller": lambda: bench.room.turn(-1),
            "workbench.full": bench.room.fill,
            "workbench.menu": lambda: self._begin(self.asking.menu()),
            "workbench.line": self._show_line,
            "workbench.theme": self._app.choose_theme,
            "workbench.quit": self._app.exit,
        }

    # Doing.

    def perform_id(self, id: str) -> None:
        found = BY_ID.get(id) or self._bench.keymap.own_by_id(id)
        if found is not None:
            self.perform(found)

    def perform(
        self, what: CommandSpec | Own, values: Values | None = None, choice: Choice | None = None
    ) -> None:
        forbidden = self._bench.keymap.forbids(what)
        if forbidden:
            self._bench.say(f"{what.title}: {forbidden}", "warn")
            return
        if isinstance(what, Own):
            misplaced = out_of_place(what, self._bench.place)
            if misplaced:
                self._bench.say(f"{what.title}: {misplaced}", "warn")
                return
            own = self._own.get(what.id)
            own() if own is not None else self._custom.perform(what.id)
            return
        if choice is None and what.struct is not None and len(self._bench.lists.marked(what.subject)) > 1:
            self._begin(self._all_marked(what, dict(values or {})))
            return
        choice = choice or self._bench.lists.choice_for(what.subject)
        reason = refusal(what, choice)
        if reason:
            self._bench.say(f"{what.title}: {reason}", "warn")
        elif what.struct is None:
            self.last_line = self._line(what, choice, {})
            if what.id == "project.init":
                box = str((values or {}).get("box", ""))
                self._begin(self._reading.init(box) if box else self.beginning.described_in(""))
                return
            here = self._here.get(what.id)
            here(choice) if here is not None else self.print(what, shlex.split(self.last_line)[1:])
        else:
            self._begin(self._order(what, choice, dict(values or {})))

    async def _all_marked(self, spec: CommandSpec, values: dict[str, Any]) -> None:
        from tui.bulk import Bulk
        from tui.dialogs.progress import Progress

        bulk = Bulk(self._app, self._bridge, self._line)
        begun = await bulk.run(spec, self._bench.lists.marked(spec.subject), values)
        if not begun:
            return
        self._bench.lists.listed.clear_marks()
        for each in begun:
            if each.operation:
                self._mine[each.operation] = spec.title
        subject = await self._app.push_screen_wait(Progress(spec.title, begun, lambda: self._bridge.state))
        if subject:
            self._bench.lists.listed.select(subject)
            self._show_tab("steps")

    def _sorted(self, column: str) -> None:
        self._bench.say(f"Sorted by {column}." if column else "In the usual order.", "muted")
        self._bench.memory.remember_order()

    def _line(self, spec: CommandSpec, choice: Choice, values: Values) -> str:
        return orders.line_of(spec, choice, values, self._bridge.project)

    def print(self, spec: CommandSpec, words: Sequence[str]) -> None:
        """Show what the command line prints."""
        forbidden = self._bench.keymap.forbids(spec)
        if forbidden:
            self._bench.say(f"{spec.title}: {forbidden}", "warn")
            return
        self.last_line = shlex.join(["boxwright", *words])
        self._begin(self.pages.show(spec, words))

    def has_own(self, spec: CommandSpec) -> bool:
        """The workbench carries it out, or shows by itself what the command would print."""
        return spec.struct is not None or spec.id in self._here or spec.id == "project.init"

    async def _order(self, spec: CommandSpec, choice: Choice, given: dict[str, Any]) -> None:
        """Ask for what is missing, ask before something is lost, then submit."""
        values = {**orders.defaults(spec, choice), **given}
        wants_name = spec.id in ("snapshot.restore", "snapshot.delete") and "name" not in given
        if orders.missing(spec, values) or wants_name:
            from tui.dialogs.form import Form

            def preview(filled: Values) -> str:
                return self._line(spec, choice, filled)

            subject = choice.title if spec.subject is not Subject.NONE else ""
            answer = await self._app.push_screen_wait(Form(spec, values, preview, subject))
            if answer is None:
                return
            values |= answer
        if spec.destructive and not values.get("dry_run"):
            from tui.dialogs.confirm import Confirm, question

            line = self._line(spec, choice, values)
            if not await self._app.push_screen_wait(
                Confirm(question(spec, choice, values, self._bridge.state, line))
            ):
                return
        await self._submit(spec, choice, values)

    async def _submit(self, spec: CommandSpec, choice: Choice, values: Values) -> None:
        if spec.id in PRINTING:
            self.print(spec, shlex.split(self._line(spec, choice, values))[1:])
            return
        command = orders.build(spec, choice, values, str(Path.cwd()))
        if isinstance(command, RunBuild):
            # Templates read it, and the engine has one of its own.
            command = msgspec.structs.replace(command, environment=dict(os.environ))
        self.last_line = self._line(spec, choice, values)
        operation = await self._bridge.submit(command)
        self._mine[operation] = spec.title
        self._bridge.want_operation(operation)
        if choice.key and choice.key == self._bench.choice.key and spec.id != "machine.destroy":
            self._bench.detail.show_steps()
        self._bench.say(f"$ {self.last_line}", "accent")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that may fail; a failure is shown."""

        async def guarded() -> None:
            try:
                await work
            except BoxwrightError as error:
                self.show_problem(error.problem)
            except OSError as error:
                self.show_problem(Problem(what="The engine cannot be reached.", why=str(error)))

        self._app.run_worker(guarded(), exit_on_error=True)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._begin(work)

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
            self._bench.say(f"{signs.done} {operation.title}: done", "good")
            if operation.result is not None and operation.command in TOLD:
                self._reading.show_result(operation)

    # What the workbench does by itself.

    def _show_tab(self, tab: str) -> None:
        self._bench.detail.activate(tab)
        self._bench.focus_detail()

    def _turn(self, way: int) -> None:
        inside = self._bench.in_detail or self._bench.focused is None
        self._bench.detail.turn(way)
        console = self._bench.detail.console
        if console is not None:
            # Who goes along the tabs wants to go on.
            console.keyboard.typing = False
        if inside or self._bench.has_class("-narrow"):
            self._bench.focus_detail()

    def _cancel(self, choice: Choice) -> None:
        assert choice.operation is not None
        self._begin(self._bridge.cancel(choice.operation.id))
        self._bench.say(f"Cancelling {choice.operation.title}; what it began is undone.", "warn")

    def _close_tab(self) -> None:
        detail = self._bench.detail
        if not detail.is_console(detail.active):
            self._bench.say("Close tab: only the tab of a console can be closed.", "warn")
            return
        front = detail.console
        self._bench.focus_list("machines")
        self._begin(detail.close_console(front.id if front is not None and front.id else detail.active))

    def _back(self) -> None:
        if self._bench.in_detail:
            self._bench.focus_list(self._bench.pane)
        else:
            self._bench.lists.listed.clear_marks() or self._bench.lists.clear_filter()

    def chosen(self, tab: str, target: str) -> None:
        """Enter on a line of a view: a step shows its output, a snapshot is restored."""
        if tab == "steps" and target.startswith("step:"):
            self._begin(self._show_output(int(target.partition(":")[2])))
        elif tab == "snapshots":
            self.perform(BY_ID["snapshot.restore"], {"name": target})

    async def _show_output(self, step: int) -> None:
        from core.model.query import GetOperation, OperationView

        operation = self._bench.detail.operation
        if operation is None:
            return
        view = await self._bridge.query(GetOperation(operation=operation.id))
        self._show_tab("log")
        if isinstance(view, OperationView):
            found = next((segment for segment in view.segments if segment.step == step), None)
            if found is not None:
                self._bench.detail.log_view.show_offset(found.offset)

    # Telling.

    def _show_line(self) -> None:
        if self.last_line:
            self._app.copy_to_clipboard(self.last_line)
            self._bench.say(f"$ {self.last_line}   (copied)", "accent")
        else:
            self._bench.say("Nothing was done yet.", "muted")

    def show_problem(self, problem: Problem) -> None:
        from tui.dialogs.info import Info

        signs = self._app.look.signs

        def lines(width: int) -> list[list[Part]]:
            return problem_lines(problem, width, signs)

        self._app.push_screen(Info("That did not work", lines))

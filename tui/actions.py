"""What each command does in the workbench: ask what is needed, tell the engine, show what comes of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from core.commands import BY_ID, CommandSpec
from core.errors import BoxwrightError
from core.model.problem import Problem
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
from tui.going import Going
from tui.keys import out_of_place, refusal
from tui.log.opening import Logs
from tui.look.lines import Part
from tui.orders import Values
from tui.printed import Pages
from tui.reading import Reading
from tui.submitting import Submitting
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
        self.last_line = ""
        self.going = Going(self, workbench)
        self.submitting = Submitting(self, app, workbench)
        self.reading = Reading(self, app, workbench)
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
            "machine.port": lambda _choice: self.going.show_tab("overview"),
            "snapshot.list": lambda _choice: self.going.show_tab("snapshots"),
            "box.show": lambda _choice: self.going.show_tab("overview"),
            "box.list": lambda _choice: self._bench.focus_list("boxes"),
            "machine.status": lambda _choice: self._switching.show_one(),
            "machine.global-status": lambda _choice: self._switching.show_all(),
            "build.screen": lambda _choice: self.going.show_tab("screen"),
            "operation.logs": lambda _choice: self.going.show_tab("log"),
            "operation.show": lambda _choice: self.going.show_tab("steps"),
            "operation.cancel": self._cancel,
            **self.reading.table(),
        }
        self._own = self._own_table()

    def _own_table(self) -> dict[str, Callable[[], Any]]:
        bench = self._bench
        return {
            "workbench.filter": self.asking.filter,
            "workbench.prompt": self.asking.command,
            "workbench.palette": lambda: self.begin(self.asking.palette()),
            "workbench.help": self.asking.help,
            "workbench.tour": self.asking.tour,
            "workbench.open": bench.focus_detail,
            "workbench.back": self.going.back,
            "workbench.machines": lambda: bench.focus_list("machines"),
            "workbench.boxes": lambda: bench.focus_list("boxes"),
            "workbench.builds": lambda: bench.focus_list("builds"),
            "workbench.next-pane": lambda: bench.next_pane(1),
            "workbench.previous-pane": lambda: bench.next_pane(-1),
            "workbench.previous-tab": lambda: self.going.turn(-1),
            "workbench.next-tab": lambda: self.going.turn(1),
            "workbench.close-tab": self.going.close_tab,
            "workbench.edit": lambda: self.begin(self._edits.here()),
            "workbench.editor": lambda: self.begin(self._edits.in_editor()),
            "workbench.settings": lambda: self.begin(self._edits.settings(self._app.settings.path)),
            "workbench.mark": lambda: bench.lists.listed.mark(),
            "workbench.mark-range": lambda: bench.lists.listed.mark_range(),
            "workbench.mark-all": lambda: bench.lists.listed.mark_all(),
            "workbench.sort": lambda: self._sorted(bench.lists.listed.sort_next()),
            "workbench.reverse": lambda: self._sorted(bench.lists.listed.sort_reversed()),
            "workbench.new": lambda: self.begin(self.beginning.machine()),
            **self.opening.table(),
            **Again(self, self._app, bench).table(),
            **self.logs.table(),
            **Showing(self, self._app, bench).table(),
            "workbench.everywhere": lambda: self.begin(self._switching.ask()),
            "workbench.bigger": lambda: bench.room.turn(1),
            "workbench.smaller": lambda: bench.room.turn(-1),
            "workbench.full": bench.room.fill,
            "workbench.menu": lambda: self.begin(self.asking.menu()),
            "workbench.line": self._show_line,
            "workbench.theme": self._app.choose_theme,
            "workbench.quit": self._app.exit,
        }

    # Doing.

    def perform_id(self, id: str) -> None:
        found = BY_ID.get(id) or self._bench.keymap.own_by_id(id)
        if found is not None:
            self.perform(found)

    def perform_on(self, spec: CommandSpec, named: Sequence[Choice], values: Values, *, sure: bool) -> None:
        """On what was named, else on what is marked or selected; ``sure``: nothing is asked."""
        if len(named) > 1 and not self._bench.keymap.forbids(spec):
            self.begin(self.submitting.all(spec, named, dict(values), sure=sure))
        else:
            self.perform(spec, values, named[0] if named else None, sure=sure)

    def perform(
        self,
        what: CommandSpec | Own,
        values: Values | None = None,
        choice: Choice | None = None,
        *,
        sure: bool = False,
    ) -> None:
        forbidden = self._bench.keymap.forbids(what)
        if forbidden:
            self._bench.say(f"{what.title}: {forbidden}", "warn")
            return
        self._app.newcomer.uses(what.id)
        if isinstance(what, Own):
            misplaced = out_of_place(what, self._bench.place, self._bench.keymap)
            if misplaced:
                self._bench.say(f"{what.title}: {misplaced}", "warn")
                return
            own = self._own.get(what.id)
            own() if own is not None else self._custom.perform(what.id)
            return
        if choice is None and what.struct is not None and len(self._bench.lists.marked(what.subject)) > 1:
            marked = self._bench.lists.marked(what.subject)
            self.begin(self.submitting.all(what, marked, dict(values or {}), sure=sure))
            return
        choice = choice or self._bench.lists.choice_for(what.subject)
        reason = refusal(what, choice)
        if reason:
            self._bench.say(f"{what.title}: {reason}", "warn")
        elif what.struct is None:
            self.last_line = self.submitting.line(what, choice, {})
            if what.id == "project.init":
                box = str((values or {}).get("box", ""))
                self.begin(self.reading.init(box) if box else self.beginning.described_in(""))
                return
            here = self._here.get(what.id)
            here(choice) if here is not None else self.print(what, shlex.split(self.last_line)[1:])
        else:
            self.begin(self.submitting.order(what, choice, dict(values or {}), sure=sure))

    def _sorted(self, column: str) -> None:
        self._bench.say(f"Sorted by {column}." if column else "In the usual order.", "muted")
        self._bench.memory.remember_order()

    def print(self, spec: CommandSpec, words: Sequence[str]) -> None:
        """Show what the command line prints."""
        forbidden = self._bench.keymap.forbids(spec)
        if forbidden:
            self._bench.say(f"{spec.title}: {forbidden}", "warn")
            return
        self.last_line = shlex.join(["boxwright", *words])
        self.begin(self.pages.show(spec, words))

    def has_own(self, spec: CommandSpec) -> bool:
        """The workbench carries it out, or shows by itself what the command would print."""
        return spec.struct is not None or spec.id in self._here or spec.id == "project.init"

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that may ask and may fail: keys wait for its dialogs, and a failure is shown."""
        self._app.run_worker(self._app.type_ahead.follow(self._guarded(work)), exit_on_error=True)

    def aside(self, work: Coroutine[Any, Any, None]) -> None:
        """The same for what opens no dialog of its own."""
        self._app.run_worker(self._guarded(work), exit_on_error=True)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except BoxwrightError as error:
            self.show_problem(error.problem)
        except OSError as error:
            self.show_problem(Problem(what="The engine cannot be reached.", why=str(error)))

    # What the workbench does by itself.

    def _cancel(self, choice: Choice) -> None:
        assert choice.operation is not None
        self.aside(self._bridge.cancel(choice.operation.id))
        self._bench.say(f"Cancelling {choice.operation.title}; what it began is undone.", "warn")

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

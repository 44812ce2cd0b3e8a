"""What builds ask: told as it comes, shown with all that can be done, and answered."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.commands import BY_ID
from core.model.query import BuildView
from tui.choice import Choice, build_choice
from tui.panes.content import project_titles
from tui.store import State
from tui.views import failure

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.dialogs.palette import Entry
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench

_TITLES = {
    "retry": "Retry this step",
    "keep": "Keep the machine",
    "clean": "Clean up",
    "abort": "Abort",
    "continue": "Go on",
}
_SHELL, _EDIT, _LOG = "shell", "edit", "log"


def asking(state: State) -> list[tuple[str, BuildView]]:
    """Builds that ask something, with the folders of their projects."""
    return [(root, build) for root, view in state.projects.items() for build in view.builds if build.question]


class Questions:
    """``look`` at each change."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str, float]] = set()

    def look(self, changed: frozenset[str], state: State) -> list[Choice]:
        """Builds that ask something that was not told yet."""
        if "*" not in changed and not any(key.startswith("project:") for key in changed):
            return []
        asked = {(root, build.name, build.asked) for root, build in asking(state)}
        new = asked - self._told
        self._told = asked
        return [build_choice(state, root, name) for root, name, _ in sorted(new)]


class Answering:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench

    def tell(self, choice: Choice) -> None:
        """That it asks; where it was begun here and nobody types, all that can be done, too."""
        build = choice.build
        assert build is not None
        bench, signs = self._bench, self._app.look.signs
        key = bench.keymap.key("workbench.again")
        elsewhere = bench.lists.project not in ("", choice.project)
        of = f" of {project_titles(bench.bridge.state)[choice.project]}" if elsewhere else ""
        bench.say(f"{signs.asks} {build.name}: {build.question}  ({key} in the builds{of} answers)", "warn")
        operation = choice.operation
        here = operation is not None and self._actions.submitting.began(operation.id)
        if here and bench.is_current and not bench.typing and not bench.keymap.read_only:
            self._actions.begin(self.ask(choice, sudden=True))

    async def ask(self, choice: Choice, *, sudden: bool = False) -> None:
        from tui.dialogs.question import QuestionDialog

        build = choice.build
        assert build is not None
        dialog = QuestionDialog(
            f"{build.name} asks",
            functools.partial(failure.question_lines, build, signs=self._app.look.signs),
            entries(build),
            open=lambda: self._asked(choice) == build.asked,
            sudden=sudden,
        )
        picked = await self._app.push_screen_wait(dialog)
        if picked in build.answers:
            self._actions.perform(BY_ID["build.answer"], {"answer": picked}, choice)
        elif picked:
            self._bench.go_to_build(choice.key)
            self._aside(picked)

    def _aside(self, picked: str) -> None:
        """What leaves the question as it is."""
        ids = {_SHELL: "workbench.shell-here", _EDIT: "workbench.edit", _LOG: "operation.logs"}
        self._actions.perform_id(ids[picked])

    def _asked(self, choice: Choice) -> float:
        """When the build asked what it asks now; 0 where it asks nothing."""
        found = build_choice(self._bench.bridge.state, choice.project, choice.title).build
        return found.asked if found is not None and found.question else 0.0


def entries(build: BuildView) -> Sequence[Entry]:
    """Answers, and what can be done before one is given; each with a key."""
    from tui.dialogs.palette import Entry

    found = [
        Entry(id=word, title=_TITLES.get(word, word), name=word, key=word[0], help=does)
        for word, does in build.answers.items()
    ]
    aside = [Entry(_LOG, "Log", _LOG, "l", "all that it has said")]
    if build.files or build.failure is not None:
        what = (
            build.files[0].rpartition("/")[2]
            if build.files
            else "what describes it; a retry takes it as it is then"
        )
        aside.insert(0, Entry(_EDIT, "Edit", _EDIT, "e", what))
    if build.endpoint is not None:
        aside.insert(0, Entry(_SHELL, "Shell here", _SHELL, "s", "in the guest as it stands, in a tab"))
    return [*found[:1], *aside, *found[1:]]

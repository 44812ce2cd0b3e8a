"""What is asked in a line or a list: a filter, a search, a command, the palette, the help."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from core.errors import BoxwrightError, UsageError
from tui import choice as choices
from tui import history
from tui.keys import out_of_place, refusal
from tui.printed import HELP, printing
from tui.prompt import Prompt
from tui.typed import Typed, complete, completions, parse

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.bindings import Own
    from tui.choice import Choice
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench

_QUIT = ("q", "quit", "exit")


class Asking:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench
        self._bridge = workbench.bridge

    def filter(self) -> None:
        if self._bench.in_detail and self._bench.detail.active == "log":
            self._bench.ask(Prompt("search", "/", hint="text to search for"))
            return
        # The list is in sight, but the keys are the line's.
        self._bench.remove_class("-detail")
        hint = "regular expression; ! before it for the others, -f for letters in that order"
        self._bench.ask(Prompt("filter", "/", text=self._bench.lists.listed.pattern, hint=hint))

    def changed(self, event: Prompt.Changed) -> None:
        """While it is typed."""
        if event.kind == "filter":
            self._bench.lists.listed.set_pattern(event.text)
        elif event.kind == "command":
            self._bench.say(self.describe(event.text), "muted", stays=True)

    def closed(self, event: Prompt.Closed, *, inside: bool) -> None:
        """``inside``: the right side had the keys before, and gets them back."""
        bench = self._bench
        if event.kind == "search":
            if event.text is not None:
                bench.detail.log_view.find(event.text)
            bench.focus_detail()
            return
        if inside and event.kind == "command":
            bench.set_focus(bench.detail.console or bench.detail.view)
        else:
            bench.focus_list(bench.pane)
        if event.kind == "filter" and event.text is None:
            bench.lists.listed.set_pattern("")
        elif event.kind == "command" and event.text:
            self.typed(event.text)

    def command(self) -> None:
        self._bench.ask(
            Prompt(
                "command",
                ":",
                hint="a command; tab completes, up goes back to earlier ones",
                complete=self._complete,
                earlier=history.load(),
            )
        )

    def _complete(self, text: str) -> str:
        own = self._owns(text)
        return own[0].id if own else complete(text, self._machine_names())

    def _owns(self, text: str) -> list[Own]:
        """What is no verb of the command line: typed by its id, such as ``console.split``."""
        text = text.strip()
        named = "." in text or text in ("console", "log", "screen", "workbench", "custom")
        return [own for own in self._bench.keymap.every_own if named and own.id.startswith(text)]

    def _machine_names(self) -> list[str]:
        shown = self._bench.lists.project
        machines = self._bridge.state.machines.values()
        return sorted({machine.name for machine in machines if not shown or machine.key.project == shown})

    def describe(self, text: str) -> str:
        """What the line at the prompt would do, or which commands begin so."""
        own = self._owns(text)
        if len(own) == 1 or (own and own[0].id == text.strip()):
            reason = self._bench.keymap.forbids(own[0]) or out_of_place(
                own[0], self._bench.place, self._bench.keymap
            )
            return f"{own[0].id}  {reason or own[0].help}"
        if own:
            return "  ".join(one.id for one in own)
        found = completions(text)
        if not found:
            words = text.split()
            found = completions(words[0]) if words else []
        if len(found) == 1 or (found and found[0].name == text.strip()):
            usage = " ".join(
                argument.metavar.upper() if not argument.flags else f"[{argument.flags[-1]}]"
                for argument in found[0].arguments
            )
            reason = self._bench.keymap.forbids(found[0]) or refusal(found[0], self._meant(text))
            return f"{found[0].name} {usage}".rstrip() + f"  {reason or found[0].help}"
        return "  ".join(spec.name for spec in found)

    def _meant(self, text: str) -> Choice:
        """What the line is about: the machine that it names, else what is selected."""
        try:
            meant = self._named(self._parsed(text))
        except BoxwrightError:
            meant = []
        return meant[0] if meant else self._bench.choice

    def _parsed(self, line: str) -> Typed:
        state, shown = self._bridge.state, self._bench.lists.project
        views = [view for root, view in state.projects.items() if shown in ("", root)]
        builds = sorted({build.name for view in views for build in view.builds})
        return parse(line, list(state.machines.values()), shown, builds)

    def _named(self, line: Typed) -> list[Choice]:
        """What the line names: machines or builds of the project that is shown, else of any. Raises
        UsageError."""
        state = self._bridge.state
        if line.builds:
            return [self._build(name) for name in line.builds]
        return [choices.machine_choice(state, str(key)) for key in line.machines]

    def _build(self, name: str) -> Choice:
        """Of the project that is shown; where those of all are, of the one that has it."""
        state, shown = self._bridge.state, self._bench.lists.project
        roots = [shown] if shown else [*state.projects]
        found = [choices.build_choice(state, root, name) for root in roots]
        found = [choice for choice in found if choice.build is not None]
        selected = [choice for choice in found if choice.key == self._bench.choice.key]
        if len(found) > 1 and not selected:
            raise UsageError(
                f"Several projects have a build {name!r}.",
                why=f"They are: {', '.join(sorted(choice.project for choice in found))}.",
                remedy="Select it in the list and leave its name out.",
            )
        return [*selected, *found][0]

    def typed(self, line: str) -> None:
        """Do what was typed at the prompt."""
        if line.strip() in _QUIT:
            self._app.exit()
            return
        history.remember(line)
        own = self._bench.keymap.own_by_id(line.strip())
        if own is not None:
            self._actions.perform(own)
            return
        if line.strip() == HELP.name:
            self.help()
            return
        try:
            said = self._parsed(line)
            named = self._named(said)
        except BoxwrightError as error:
            spec = printing(line)
            if spec is None:
                self._actions.show_problem(error.problem)
            else:
                self._actions.print(spec, shlex.split(line))
            return
        if not self._actions.has_own(said.spec):
            self._actions.print(said.spec, shlex.split(line))
            return
        self._actions.perform_on(said.spec, named, said.values, sure=said.yes)

    async def palette(self) -> None:
        from tui.dialogs.palette import Palette
        from tui.manual import palette_entries

        chosen = await self._app.push_screen_wait(
            Palette(palette_entries(self._bench.keymap, self._bench.choice, self._bench.place))
        )
        if chosen:
            self._actions.perform_id(chosen)

    async def menu(self) -> None:
        """Of the selected thing alone."""
        from tui.again import not_again
        from tui.dialogs.palette import Palette
        from tui.manual import menu_entries

        choice = self._bench.choice
        reason = not_again(choice, self._bench.detail.failed_provisioner())
        entries = menu_entries(self._bench.keymap, choice, reason)
        title = choice.title or "boxwright"
        chosen = await self._app.push_screen_wait(Palette(entries, title=title))
        if chosen:
            self._actions.perform_id(chosen)

    def tour(self) -> None:
        from tui import tour
        from tui.dialogs.info import Info

        self._app.push_screen(Info("Welcome", lambda width: tour.lines(self._bench.keymap, width)))

    def help(self) -> None:
        from tui.dialogs.info import Info
        from tui.manual import help_lines

        kind, place = self._bench.lists.kind, self._bench.place
        self._app.push_screen(Info("Keys", lambda width: help_lines(self._bench.keymap, kind, width, place)))

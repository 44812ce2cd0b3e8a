"""The one screen: lists on the left, the selected thing on the right."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from core.commands import Subject
from tui import choice as choices
from tui.bridge import Link, LinkState
from tui.choice import NOTHING, Choice
from tui.footer import Footer, Item
from tui.header import Header
from tui.keys import CONSOLE, Keymap, refusal, spoken
from tui.look.lines import Part
from tui.panes import content
from tui.panes.rows import RowList
from tui.views.detail import Detail
from tui.views.lines import LinesView
from tui.views.tabs import TabLine

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.bridge import Bridge
    from tui.console.tabs import Consoles
    from tui.console.view import ConsoleView
    from tui.look.look import Look
    from tui.program import BoxwrightApp
    from tui.prompt import Prompt

NARROW = 100
"""Columns below which lists and details are shown one at a time."""

_NOTE_SECONDS = 6.0
_IN_CONSOLE = (Item("", "shift+pgup", "Look back", True), Item("", "all other keys", "go to the guest", True))
_MACHINES = ("", "name", "state", "provider")
_MACHINES_OF_ALL = ("", "name", "project", "state", "provider")
_PANES = ("machines", "boxes", "builds")
_KINDS = {"machines": Subject.MACHINE, "boxes": Subject.BOX, "builds": Subject.BUILD}


class Workbench(Screen[None], inherit_bindings=False):
    """Holds no truth: everything that it shows comes from the bridge's state."""

    def __init__(self, bridge: Bridge, consoles: Consoles, look: Look, keymap: Keymap) -> None:
        super().__init__()
        self.bridge = bridge
        self.consoles = consoles
        self.keymap = keymap
        self._actions: Actions | None = None
        self.greeting = ""
        """What to say first."""
        self.everywhere = not bridge.project
        """Machines of all projects are listed."""
        self._look = look
        self.pane = "machines"
        """The list that has, or had, the keys."""
        self._quiet: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Header(self.bridge.project, id="header")
        with Horizontal(id="body"):
            with Vertical(id="lists"):
                yield RowList(
                    id="machines", title="1 Machines", header=("", "name", "state", "provider"), flexible=4
                )
                yield RowList(
                    id="boxes",
                    title="2 Boxes",
                    header=("", "name", "version", "for", "size"),
                    flexible=1,
                    least=20,
                )
                yield RowList(id="builds", title="3 Builds", header=("", "name", "state", ""), flexible=3)
            yield Detail(self.bridge, self.consoles, self._look, id="detail")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        self.machines, self.boxes, self.builds = (self.query_one(f"#{name}", RowList) for name in _PANES)
        self.detail = self.query_one(Detail)
        self.footer = self.query_one(Footer)
        self.header = self.query_one(Header)
        self.set_class(not self._look.terminal.unicode, "-ascii")
        self._fit(self.app.size.width)
        self.state_changed(frozenset("*"))
        self.machines.focus()
        if self.greeting:
            self.say(self.greeting, "warn")

    @property
    def actions(self) -> Actions:
        """What the keys do; loaded with the first key, after the first frame."""
        if self._actions is None:
            from tui.actions import Actions

            self._actions = Actions(cast("BoxwrightApp", self.app), self)
        return self._actions

    @property
    def waits_for_ends(self) -> bool:
        """Something was begun here."""
        return self._actions is not None

    # The state.

    def state_changed(self, changed: frozenset[str]) -> None:
        state, signs = self.bridge.state, self._look.signs
        kinds = {key.partition(":")[0] for key in changed}
        everything = "*" in changed
        if everything or kinds & {"machine", "operation", "step", "project"}:
            shown = "" if self.everywhere else self.bridge.project
            self.machines.header = _MACHINES if shown else _MACHINES_OF_ALL
            self.machines.flexible = len(self.machines.header)
            self.machines.set_rows(content.machine_rows(state, shown, signs), self._machines_hint())
        if everything or kinds & {"box", "machine", "operation", "step"}:
            self.boxes.set_rows(content.box_rows(state, signs), self._hint("No box yet.", "a", "adds one"))
        if everything or kinds & {"project", "operation", "step"}:
            rows = content.build_rows(state, self.bridge.project, signs, time.time())
            self.builds.set_rows(rows, [[("No builds in this project.", "muted")]])
        self.header.show(state, self.bridge.link, "" if self.everywhere else self.bridge.project)
        self._refresh_choice()

    def link_changed(self, link: Link) -> None:
        self.header.show(self.bridge.state, link, "" if self.everywhere else self.bridge.project)
        if link.state is LinkState.LOST:
            self.say(f"{link.why} {link.remedy}".strip(), "bad")
        else:
            self.quiet()
        self._refresh_choice()

    def _machines_hint(self) -> Sequence[Sequence[Part]]:
        view = self.bridge.state.projects.get(self.bridge.project)
        if not self.bridge.state.seq:
            return [[("connecting to the engine", "muted")]]
        if view is not None and view.problem is not None:
            return [[("The project cannot be read:", "bad")], [("see the right side (enter).", "muted")]]
        if not self.bridge.project:
            return self._hint("No project here.", ":", "then: init BOX")
        return self._hint("No machine yet.", "?", "helps")

    def _hint(self, what: str, key: str, does: str) -> Sequence[Sequence[Part]]:
        return [[(what, "muted")], [(key, "!accent"), (f" {does}", "muted")]]

    # The choice.

    @property
    def choice(self) -> Choice:
        """What is selected in the list that has, or had, the keys; without that, just the project."""
        choice = self._selected()
        return choice if choice.project else msgspec.structs.replace(choice, project=self.bridge.project)

    @property
    def listed(self) -> RowList:
        """The list that has, or had, the keys."""
        return self.query_one(f"#{self.pane}", RowList)

    def marked(self, kind: Subject) -> list[Choice]:
        """What is marked in the list, where it lists things of that kind."""
        if _KINDS[self.pane] is not kind:
            return []
        return [self._choice_of(key) for key in self.listed.marked]

    def choice_for(self, kind: Subject) -> Choice:
        """The one thing that is marked, else what is selected."""
        marked = self.marked(kind)
        return marked[0] if len(marked) == 1 else self.choice

    def _selected(self) -> Choice:
        return self._choice_of(self.listed.selected)

    def _choice_of(self, selected: str) -> Choice:
        state = self.bridge.state
        if not selected:
            return NOTHING
        if self.pane == "machines":
            return choices.machine_choice(state, selected)
        if self.pane == "boxes":
            return choices.box_choice(state, selected)
        return choices.build_choice(state, self.bridge.project, selected.rpartition(":")[2])

    def _refresh_choice(self) -> None:
        self.detail.show(self.choice)
        self.refresh_footer()

    def refresh_footer(self) -> None:
        console = self.detail.console if self.in_detail else None
        if console is not None:
            self._show_console_keys(typing=console.keyboard.typing)
            return
        self.detail.label(subtitle="")
        choice = self.choice
        kind = _KINDS[self.pane]
        items = [
            Item(spec.id, spoken(self.keymap.key(spec.id)), spec.title, not refusal(spec, choice))
            for spec in self.keymap.footer(kind)
        ]
        always = [("workbench.help", "Help")]
        if not self.has_class("-narrow"):
            always.insert(0, ("workbench.filter", "Search" if self._in_log else "Filter"))
            always.insert(1, ("workbench.prompt", "Command"))
        fixed = [Item(own, spoken(self.keymap.key(own)), title) for own, title in always]
        self.footer.set_items(items, fixed)

    def _show_console_keys(self, *, typing: bool) -> None:
        leave = spoken(self.keymap.key("console.leave"))
        self.detail.label(subtitle=f"{leave} leaves" if typing else "enter types")
        if typing:
            self.footer.set_items([Item("console.leave", leave, "Leave the console"), *_IN_CONSOLE], [])
            return
        items = [Item(own.id, spoken(self.keymap.key(own.id)), own.title) for own in CONSOLE if own.shown]
        help = Item("workbench.help", spoken(self.keymap.key("workbench.help")), "Help")
        self.footer.set_items(items, [help])

    @property
    def _in_log(self) -> bool:
        return self.in_detail and self.detail.active == "log"

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        if event.rows.id == self.pane:
            self._refresh_choice()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        if self.detail.expects_keys(events.Key("enter", "\r")):
            return
        self.focus_detail()

    def on_lines_view_chosen(self, event: LinesView.Chosen) -> None:
        self.actions.chosen(self.detail.active, event.target)

    def on_tab_line_picked(self, event: TabLine.Picked) -> None:
        self.detail.activate(event.tab_id)
        self.focus_detail()

    def on_console_view_left(self, event: ConsoleView.Left) -> None:
        self.focus_list(self.pane)

    def on_console_view_tab_changed(self, event: ConsoleView.TabChanged) -> None:
        self.detail.update()
        self.refresh_footer()

    # Where the keys go.

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        widget = event.widget
        if isinstance(widget, RowList) and widget.id in _PANES and widget.id != self.pane:
            self.pane = widget.id or self.pane
            self._refresh_choice()
        else:
            self.refresh_footer()

    @property
    def in_detail(self) -> bool:
        return self.focused is not None and self.detail in self.focused.ancestors

    def focus_list(self, pane: str) -> None:
        self.remove_class("-detail")
        self.query_one(f"#{pane}", RowList).focus()

    def focus_detail(self) -> None:
        self.add_class("-detail")
        self.detail.update()
        view: Widget = self.detail.view
        console = self.detail.console
        if console is not None and not console.has_focus:
            console.keyboard.expected = True
        # A view that was just made, or was hidden until now, can take the keys only when it is laid out.
        self.call_after_refresh(view.focus)

    def next_pane(self, way: int) -> None:
        order = [*_PANES, "detail"]
        here = len(_PANES) if self.in_detail else order.index(self.pane)
        there = order[(here + way) % len(order)]
        self.focus_detail() if there == "detail" else self.focus_list(there)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)
        self.call_after_refresh(self._refresh_choice)

    def _fit(self, width: int) -> None:
        self.set_class(width < NARROW, "-narrow")

    # Keys.

    def on_key(self, event: events.Key) -> None:
        if self.query("Prompt"):
            # What is typed there is no key of the workbench.
            return
        if self.detail.expects_keys(event):
            # Typed on while a console is only being opened.
            return
        self.quiet()
        pressed = (event.key, event.character or event.key)
        found = self.keymap.find(pressed, _KINDS[self.pane])
        if found is None:
            return
        event.stop()
        if self.detail.choice.key != self.choice.key:
            # Keys that came in one go: the news of the cursor's move are still on their way.
            self._refresh_choice()
        self.actions.perform(found)

    def on_footer_picked(self, event: Footer.Picked) -> None:
        self.actions.perform_id(event.command_id)

    # Messages and the prompt.

    def say(self, text: str, role: str = "accent") -> None:
        self.footer.say(text, role)
        if self._quiet is not None:
            self._quiet.stop()
        self._quiet = self.set_timer(_NOTE_SECONDS, self.quiet)

    def quiet(self) -> None:
        if self.bridge.link.state is not LinkState.LOST:
            self.footer.quiet()

    def ask(self, prompt: Prompt) -> None:
        if not self.query("Prompt"):
            self.mount(prompt, after=self.query_one("#body"))

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        if event.kind == "filter":
            self.listed.set_pattern(event.text)
        elif event.kind == "command":
            self.footer.say(self.actions.asking.describe(event.text), "muted")

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        self.query("Prompt").remove()
        self.footer.quiet()
        if event.kind == "search":
            if event.text is not None:
                self.detail.log_view.find(event.text)
            self.focus_detail()
            return
        self.focus_list(self.pane)
        if event.kind == "filter" and event.text is None:
            self.listed.set_pattern("")
        elif event.kind == "command" and event.text:
            self.actions.asking.typed(event.text)

    @property
    def pattern(self) -> str:
        """The filter of the list."""
        return self.listed.pattern

    def clear_filter(self) -> bool:
        """False where there was none."""
        rows = self.listed
        if not rows.pattern:
            return False
        rows.set_pattern("")
        return True

    def spec_kind(self) -> Subject:
        """The kind of things that the keys are about."""
        return _KINDS[self.pane]

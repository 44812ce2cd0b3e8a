"""The one screen: lists on the left, the selected thing on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tui import offers
from tui.bindings import PLACES
from tui.bridge import Link, LinkState
from tui.choice import Choice
from tui.footer import Footer
from tui.header import Header
from tui.keys import Keymap, spoken
from tui.look.painted import Painted
from tui.memory import Memory
from tui.panes.lists import PANES, Lists
from tui.panes.rows import RowList
from tui.room import Room
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
    from tui.type_ahead import TypeAhead

_NOTE_SECONDS = 6.0


class Workbench(Screen[None], inherit_bindings=False):
    """Holds no truth: everything that it shows comes from the bridge's state."""

    hands_out_keys = True

    def __init__(self, bridge: Bridge, consoles: Consoles, look: Look, keymap: Keymap) -> None:
        super().__init__()
        self.bridge = bridge
        self.consoles = consoles
        self.keymap = keymap
        self._actions: Actions | None = None
        self.greeting = ""
        """What to say first."""
        self._look = look
        self.lists = Lists(bridge, look, id="lists")
        self.memory = Memory(self)
        self._quiet: Timer | None = None
        self.room = Room(self)
        self._asked_in_detail = False
        """The keys were on the right side when the prompt came."""

    def compose(self) -> ComposeResult:
        yield Header(self.bridge.project, id="header")
        with Horizontal(id="body"):
            yield self.lists
            yield Detail(self.bridge, self.consoles, self._look, id="detail")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        self.detail = self.query_one(Detail)
        self.footer = self.query_one(Footer)
        self.header = self.query_one(Header)
        self.header.read_only = bool(self.keymap.read_only)
        self.set_class(not self._look.terminal.unicode, "-ascii")
        self.room.fit(self.app.size.width)
        self.room.show(cast("BoxwrightApp", self.app).settings.current.layout.screen, remember=False)
        self.memory.sort_as_before()
        self.memory.arrive()
        self.state_changed(frozenset("*"))
        self.lists.listed.focus()
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
    def type_ahead(self) -> TypeAhead:
        return cast("BoxwrightApp", self.app).type_ahead

    @property
    def waits_for_ends(self) -> bool:
        """Something was begun here."""
        return self._actions is not None

    # The state.

    def state_changed(self, changed: frozenset[str]) -> None:
        self.lists.state_changed(changed)
        self.memory.state_changed()
        gone = self.consoles.orphans(changed)
        if gone:
            self.actions.opening.close_gone(gone)
        for guest in self.consoles.outlived(changed):
            self.actions.aside(guest.close())
        self.header.show(self.bridge.state, self.bridge.link, self.lists.project)
        self.refresh_choice()

    def link_changed(self, link: Link) -> None:
        self.header.show(self.bridge.state, link, self.lists.project)
        if link.state is LinkState.LOST:
            self.say(f"{link.why} {link.remedy}".strip(), "bad")
        else:
            self.quiet()
        self.refresh_choice()

    # The choice.

    @property
    def pane(self) -> str:
        """The list that has, or had, the keys."""
        return self.lists.pane

    @property
    def choice(self) -> Choice:
        """What the keys are about."""
        return self.lists.choice

    def refresh_choice(self) -> None:
        self.detail.show(self.choice)
        self.refresh_footer()

    def refresh_footer(self) -> None:
        console = self.detail.console if self.in_detail else None
        if console is not None:
            typing, recorded = console.keyboard.typing, console.session.fixed
            leaves = ("workbench.back" if recorded else "console.leave") if typing else ""
            key = spoken(self.keymap.key(leaves or "console.type"))
            self.detail.label(subtitle=f"{key} leaves" if leaves else f"{key} types")
            self.footer.set_items(*offers.of_console(self.keymap, typing=typing, recorded=recorded))
            return
        self.detail.label(subtitle="")
        if self.in_detail and self.detail.active in PLACES:
            self.footer.set_items(*offers.of_place(self.keymap, self.detail.active))
            return
        tour = cast("BoxwrightApp", self.app).newcomer.here
        self.footer.set_items(*offers.of_lists(self.keymap, self.lists.kind, self.choice, tour=tour))

    @property
    def place(self) -> str:
        """``console``, ``log`` or ``screen`` where that has the keys, or gets them back after what is being
        typed."""
        if not (self.in_detail or self._asked_in_detail):
            return ""
        if self.detail.console is not None:
            return "console"
        return self.detail.active if self.detail.active in PLACES else ""

    def go_to_build(self, key: str) -> None:
        """Select it, wherever the keys are."""
        self.lists.go_to("builds", key)
        self.refresh_choice()

    @property
    def typing(self) -> bool:
        """Keys go to a line or to a guest."""
        console = self.detail.console if self.in_detail else None
        return bool(self.query("Prompt")) or (console is not None and console.keyboard.typing)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        if event.rows.id == self.pane:
            self.refresh_choice()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        if self.detail.expects_keys(events.Key("enter", "\r")):
            return
        if self.detail.console is not None:
            # Who comes by the list wants to look first.
            self.detail.console.keyboard.typing = False
        self.focus_detail()

    def on_lines_view_chosen(self, event: LinesView.Chosen) -> None:
        self.actions.going.chosen(self.detail.active, event.target)

    def on_tab_line_picked(self, event: TabLine.Picked) -> None:
        self.detail.activate(event.tab_id)
        self.focus_detail()

    def on_console_view_left(self, event: ConsoleView.Left) -> None:
        self.focus_list(self.pane)

    def on_console_view_done(self, event: ConsoleView.Done) -> None:
        self.focus_list(self.pane)
        done = self.consoles.find(event.console)
        for console in self.consoles.of(done.place) if done is not None else ():
            # The others of a machine that is gone have nothing to come back for, either.
            if console is done or console.session.over:
                self.run_worker(self.detail.close_console(console.id), exit_on_error=False)

    def on_console_area_to_all(self) -> None:
        self.consoles.broadcast_to_all({row.key for row in self.lists.machines.rows})

    def on_console_view_tab_changed(self, event: ConsoleView.TabChanged) -> None:
        self.detail.update()
        self.refresh_footer()

    # Where the keys go.

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        widget = event.widget
        listed = isinstance(widget, RowList) and widget.id in PANES
        if listed and self.has_class("-narrow") and self.has_class("-detail"):
            # Textual gives the keys of a list that is hidden to another one; soon the details have them.
            return
        if listed and widget.id != self.pane:
            self.lists.pane = widget.id or self.pane
            self.refresh_choice()
        else:
            self.refresh_footer()

    @property
    def in_detail(self) -> bool:
        return self.focused is not None and self.detail in self.focused.ancestors

    def focus_list(self, pane: str) -> None:
        self.remove_class("-detail")
        # At once: a key that comes right after the one that led here is for the list.
        self.set_focus(self.query_one(f"#{pane}", RowList))
        if pane != self.pane:
            self.lists.pane = pane
            self.refresh_choice()

    def focus_detail(self) -> None:
        self.add_class("-detail")
        self.detail.update()
        view: Widget = self.detail.view
        console = self.detail.console
        if console is not None and not console.has_focus:
            # What is typed until then comes here, and not to what has the keys now.
            console.keyboard.expected = True
            self.set_focus(None)
        # A view that was just made, or was hidden until now, can take the keys only when it is laid out.
        there = self.type_ahead.hold()

        def focus() -> None:
            view.focus()
            there()

        self.call_after_refresh(focus)

    def next_pane(self, way: int) -> None:
        order = [*PANES, "detail"]
        here = len(PANES) if self.in_detail else order.index(self.pane)
        there = order[(here + way) % len(order)]
        self.focus_detail() if there == "detail" else self.focus_list(there)

    def on_screen_suspend(self) -> None:
        """A dialog has the keys; a console that had them gets them back afterwards."""
        self.detail.settle_keys()

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.detail.settle_keys()

    def on_resize(self, event: events.Resize) -> None:
        self.room.fit(event.size.width)
        self.call_after_refresh(self.refresh_choice)

    # Keys.

    def on_key(self, event: events.Key) -> None:
        if self.query("Prompt"):
            # What is typed there is no key of the workbench.
            return
        if self.detail.expects_keys(event):
            # Typed on while a console is only being opened.
            return
        if isinstance(self.focused, Painted) and self.focused.take(event):
            event.stop()
            return
        self.quiet()
        pressed = (event.key, event.character or event.key)
        own = self.keymap.at(self.detail.active, pressed) if self.in_detail else None
        found = own or self.keymap.find(pressed, self.lists.kind)
        if found is None:
            return
        event.stop()
        if self.detail.choice.key != self.choice.key:
            # Keys that came in one go: the news of the cursor's move are still on their way.
            self.refresh_choice()
        self.actions.perform(found)

    def on_footer_picked(self, event: Footer.Picked) -> None:
        self.actions.perform_id(event.command_id)

    # Messages and the prompt.

    def say(self, text: str, role: str = "accent", *, stays: bool = False) -> None:
        """Until the next key, and for a while; ``stays``: until something else is said."""
        self.footer.say(text, role)
        if self._quiet is not None:
            self._quiet.stop()
        self._quiet = None if stays else self.set_timer(_NOTE_SECONDS, self.quiet)

    def quiet(self) -> None:
        if self.bridge.link.state is not LinkState.LOST:
            self.footer.quiet()

    def ask(self, prompt: Prompt) -> None:
        if not self.query("Prompt"):
            self._asked_in_detail = self.in_detail
            # What is typed until the line has the keys comes here, and not to a list.
            self.set_focus(None)
            self.mount(prompt, after=self.query_one("#body"))
            prompt.awaited = self.type_ahead.hold()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        self.actions.asking.changed(event)

    async def on_prompt_closed(self, event: Prompt.Closed) -> None:
        # Where the keys go is decided once it is gone.
        await self.query("Prompt").remove()
        self.footer.quiet()
        inside, self._asked_in_detail = self._asked_in_detail, False
        self.actions.asking.closed(event, inside=inside)

"""The line of tabs above the right side."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip

from core.commands import Subject
from core.model.operation import StepState
from tui.choice import Choice
from tui.console.tabs import Console
from tui.keys import screens_of
from tui.look.lines import Part, clean, cut
from tui.look.painted import Painted
from tui.look.signs import Signs
from tui.tips import of_sign

_LONGEST = 22


class Tab(msgspec.Struct, frozen=True):
    """``mark`` stands before the title: a bell, a sign of a state. ``about``: what it says."""

    id: str
    title: str
    mark: str = ""
    mark_role: str = "busy"
    about: str = ""


def tabs_of(choice: Choice, consoles: Sequence[Console], signs: Signs) -> list[Tab]:
    """Those of the chosen thing."""
    tabs = [Tab("overview", "Overview")]
    if choice.kind is Subject.NONE:
        return tabs
    operation = choice.operation
    mark = role = ""
    if operation is not None and not operation.state.ended:
        mark, role = signs.busy, "busy"
    elif operation is not None and operation.state is StepState.FAILED:
        mark, role = signs.failed, "bad"
    if screens_of(choice):
        tabs.append(Tab("screen", "Screen"))
    told = of_sign(mark, role, signs) if mark else ""
    tabs += [Tab("steps", "Steps", mark, role or "busy", told), Tab("log", "Log")]
    tabs += [_console_tab(console, signs) for console in consoles]
    if choice.machine is not None:
        tabs.append(Tab("snapshots", "Snapshots"))
    if choice.machine is not None or choice.build is not None:
        tabs.append(Tab("config", "Config"))
    return tabs


def _console_tab(console: Console, signs: Signs) -> Tab:
    session = console.session
    marks = []
    if session in session.group:
        marks.append((signs.closed, "What is typed goes to several guests."))
    if session.rang:
        marks.append((signs.bell, "The bell of the guest rang."))
    elif session.state.value == "closed":
        marks.append((signs.failed, session.why or "The connection has ended."))
    return Tab(
        console.id,
        session.title,
        "".join(sign for sign, _ in marks),
        "warn",
        "\n".join(clean(told) for _, told in marks),
    )


class TabLine(Painted):
    """Shows tabs and posts ``Picked`` when one is clicked."""

    class Picked(Message):
        def __init__(self, id: str) -> None:
            super().__init__()
            self.tab_id = id

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.tabs: tuple[Tab, ...] = ()
        self.active = ""
        self._spans: list[tuple[int, int, str]] = []

    def set_tabs(self, tabs: Sequence[Tab], active: str) -> None:
        if (tuple(tabs), active) != (self.tabs, self.active):
            self.tabs, self.active = tuple(tabs), active
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return self.blank(width)
        texts = [self._text(tab) for tab in self.tabs]
        sizes = [sum(cell_len(text) for text, _ in parts) + 1 for parts in texts]
        active = next((n for n, tab in enumerate(self.tabs) if tab.id == self.active), 0)
        first = 0
        # The active tab is always in sight.
        while first < active and sum(sizes[first : active + 1]) > width - 2:
            first += 1
        parts: list[Part] = [("<" if first else "", "muted")]
        column = len(parts[0][0])
        # The arrows lead to the next tab that is out of sight.
        self._spans = [(0, 1, self.tabs[first - 1].id)] if first else []
        for number in range(first, len(self.tabs)):
            if column + sizes[number] > width - (number + 1 < len(self.tabs)) and number > active:
                parts.append((">", "muted"))
                self._spans.append((column, column + 1, self.tabs[number].id))
                break
            self._spans.append((column, column + sizes[number], self.tabs[number].id))
            parts += [*texts[number], (" ", "text")]
            column += sizes[number]
        return self.line(parts, width)

    def _text(self, tab: Tab) -> list[Part]:
        title = cut(clean(tab.title), _LONGEST, self.signs.ellipsis)
        mark: list[Part] = [(tab.mark, tab.mark_role)] if tab.mark else []
        if tab.id == self.active:
            return [*mark, ("[", "accent"), (title, "!accent"), ("]", "accent")]
        return [*mark, (f" {title} ", "muted")]

    def tip_at(self, x: int, y: int) -> str:
        here = next((id for start, end, id in self._spans if start <= x < end), "")
        tab = next((tab for tab in self.tabs if tab.id == here), None)
        if tab is None:
            return ""
        cut_off = clean(tab.title) if cell_len(clean(tab.title)) > _LONGEST else ""
        return "\n".join(filter(None, (cut_off, tab.about)))

    def on_click(self, event: events.Click) -> None:
        for start, end, id in self._spans:
            if start <= event.x < end:
                self.post_message(self.Picked(id))

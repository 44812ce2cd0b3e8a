"""The Textual application: themes, and the one screen. Everything else is the screen's and its parts'."""

from __future__ import annotations

import contextvars
import gc
import os
from pathlib import Path
from typing import Any

import msgspec
from textual import events
from textual.app import App
from textual.driver import Driver

from core import resources
from core.errors import BoxwrightError
from core.model.operation import Operation
from tui import settings
from tui.bridge import Bridge, Link
from tui.builds.questions import Questions
from tui.choice import Choice
from tui.console.tabs import Consoles
from tui.keys import Keymap
from tui.look import themes
from tui.look.look import Look
from tui.look.textual_theme import textual_theme, variables
from tui.look.wardrobe import Wardrobe
from tui.newcomer import Newcomer
from tui.notices import Notices, sequence, wanted_now, words, worth_telling
from tui.terminal import Terminal
from tui.type_ahead import TypeAhead
from tui.workbench import Workbench

EDITS = 2.0
"""Seconds between two looks at the file of the theme."""


class BoxwrightApp(App[None], inherit_bindings=False):
    TITLE = "boxwright"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "workbench.tcss"

    def __init__(
        self,
        bridge: Bridge,
        terminal: Terminal,
        *,
        settings_file: Path | None = None,
        read_only: bool = False,
        newcomers: bool = False,
    ) -> None:
        """``newcomers``: whoever is here for the first time is told where to look."""
        path = settings_file or settings.file()
        self.settings = settings.Watched(path)
        self._read_only = read_only
        self.newcomer = Newcomer(self, here=newcomers and not self.settings.current.layout.toured)
        self._notices = Notices()
        self._questions = Questions()
        if self.settings.current.ascii:
            terminal = msgspec.structs.replace(terminal, unicode=False)
        self.wardrobe = Wardrobe(path.parent / "themes", resources.themes(), terminal)
        theme = self.wardrobe.first(self.settings.current.theme)
        self.look = Look(theme, terminal)
        super().__init__(ansi_color=theme.ansi)
        self.type_ahead = TypeAhead(self, super().on_event)
        self._use(theme)
        # Nothing moves but what there is news of.
        self.animation_level = "none"
        self.bridge = bridge
        self._set_motion()
        self.consoles = Consoles(bridge)
        self.workbench = Workbench(bridge, self.consoles, self.look, self._own_keymap())
        self.workbench.greeting = "  ".join(self._complaints())

    def _own_keymap(self) -> Keymap:
        chosen = self.settings.current
        by = "the option --read-only" if self._read_only else "the settings" if chosen.read_only else ""
        return Keymap(chosen.keys, chosen.commands, read_only=by)

    def _complaints(self) -> list[str]:
        """What is wrong with the settings, the keys and the theme."""
        errors = [error for error in (self.settings.trouble, self.wardrobe.complaint) if error is not None]
        found = [f"{error.problem.what} {error.problem.why}" for error in errors]
        return [*found, *self.workbench.keymap.complaints]

    async def on_event(self, event: events.Event) -> None:
        typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        await (self.type_ahead.take(event) if typed else super().on_event(event))

    async def push_screen_wait(self, screen: Any, *, mode: str | None = None) -> Any:
        with self.type_ahead.asking(screen):
            return await super().push_screen_wait(screen, mode=mode)

    def get_driver_class(self) -> type[Driver]:
        """Textual's own, with the way past it that consoles need."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from tui.console.driver import PassingDriver

        return PassingDriver

    def get_default_screen(self) -> Workbench:
        return self.workbench

    def on_mount(self) -> None:
        self._own_context = contextvars.copy_context()
        self.bridge.attach(self)
        self.call_after_refresh(_collect_garbage_from_now_on)
        self.call_after_refresh(self.newcomer.greet)
        self.set_interval(EDITS, self._look_for_edits)

    def _set_motion(self) -> None:
        """As much of it as the settings have."""
        terminal = msgspec.structs.replace(
            self.look.terminal, reduced_motion=self.settings.current.reduced_motion
        )
        if terminal != self.look.terminal:
            self.look.terminal = terminal
            self.bridge.limit_frames(terminal.frames)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if self.look.terminal.calm and hasattr(event.widget, "cursor_blink"):
            event.widget.cursor_blink = False

    def exit(self, result: None = None, return_code: int = 0, message: Any = None) -> None:
        """Where one was is there the next time."""
        if self.workbench.is_mounted:
            self.workbench.memory.leave()
        super().exit(result, return_code, message)

    async def on_unmount(self) -> None:
        await self.consoles.close_all()

    # What the bridge tells.

    def state_changed(self, changed: frozenset[str]) -> None:
        # The bridge is older than the application: what it calls would not know in which one it is.
        self._own_context.copy().run(self._state_changed, changed)

    def _state_changed(self, changed: frozenset[str]) -> None:
        self._notify(self._notices.look(changed, self.bridge.state))
        asking = self._questions.look(changed, self.bridge.state)
        if self.workbench.is_mounted:
            self.workbench.state_changed(changed)
            if self.workbench.waits_for_ends:
                self.workbench.actions.submitting.ended(changed)
            self.newcomer.greet()
            for choice in asking:
                self._tell_question(choice)

    def _tell_question(self, choice: Choice) -> None:
        self.workbench.actions.answering.tell(choice)
        if wanted_now(self.settings.current, focused=self.app_focus) and choice.build is not None:
            self._write(sequence(f"{choice.build.name} asks: {choice.build.question}"))

    def _notify(self, ended: list[Operation]) -> None:
        """Tell the terminal, as the settings have it."""
        for operation in ended:
            if worth_telling(operation, self.settings.current, focused=self.app_focus):
                self._write(sequence(words(operation)))

    def _write(self, text: str) -> None:
        """To the terminal, past all that is drawn."""
        if self._driver is not None:
            self._driver.write(text)

    def link_changed(self, link: Link) -> None:
        if self.workbench.is_mounted:
            self._own_context.copy().run(self.workbench.link_changed, link)

    # Themes.

    def choose_theme(self) -> None:
        """In a list that shows each theme at once; the one that stays is remembered."""
        if self.wardrobe.fixed:
            self.workbench.say("This terminal has too few colours for another theme.", "warn")
            return
        from tui.dialogs.themes import ThemePicker, offered

        before = self.look.theme.name

        def chosen(name: str | None) -> None:
            self.show_theme(name or before)
            if name:
                self.remember("theme", name)

        self.push_screen(ThemePicker(offered(self.wardrobe), before, self.show_theme), chosen)

    def show_theme(self, name: str) -> None:
        """Wear a theme, for now."""
        try:
            if name != self.look.theme.name:
                self._use(self.wardrobe.wear(name))
        except BoxwrightError as error:
            self._complain(error)

    def remember(self, key: str, value: str | bool) -> None:
        try:
            self.settings.remember(key, value)
        except BoxwrightError as error:
            self._complain(error)

    # What the user edits while it runs.

    def _look_for_edits(self) -> None:
        if self.settings.again():
            self._wear_settings()
        try:
            theme = self.wardrobe.again()
        except BoxwrightError as error:
            self._complain(error)
            return
        if theme is not None:
            self._use(theme)

    def _wear_settings(self) -> None:
        wanted = self.settings.current.theme
        if self.settings.trouble is None and wanted and not self.wardrobe.fixed:
            self.show_theme(wanted)
        self._set_motion()
        self.workbench.keymap = self._own_keymap()
        self.workbench.header.read_only = bool(self.workbench.keymap.read_only)
        self.workbench.header.refresh()
        self.workbench.refresh_footer()
        if self.settings.trouble is not None:
            self._complain(self.settings.trouble)
        elif self.workbench.keymap.complaints:
            self.workbench.say("  ".join(self.workbench.keymap.complaints), "warn")
        else:
            self.workbench.say("The settings were read anew.", "muted")

    def _complain(self, error: BoxwrightError) -> None:
        self.workbench.say(f"{error.problem.what} {error.problem.why}", "warn", stays=True)

    def _use(self, theme: themes.Theme) -> None:
        self.look.theme = theme
        # Textual knows a theme by its name: a file that was edited gets a new one.
        name = f"boxwright-{theme.name}-{abs(hash(theme))}"
        self.register_theme(textual_theme(name, theme))
        self.theme = name
        if self.is_running:
            self.workbench.refresh(layout=True)
            for widget in self.workbench.query("*"):
                widget.refresh()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Also for the moment before a theme is in force."""
        return {**variables(self.look.theme), "frame": self.look.signs.border}

    def copy_to_clipboard(self, text: str) -> None:
        from tui.console.clipboard import sequence

        self._clipboard = text
        self._write(sequence(text, tmux=bool(os.environ.get("TMUX"))))


def _collect_garbage_from_now_on() -> None:
    """Through all of it seldom: that stops everything for milliseconds, and little is ever found there."""
    gc.freeze()
    gc.set_threshold(2_000, 10, 200)
    gc.enable()

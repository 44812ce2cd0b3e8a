"""A console on the screen, drawn at the first change at once, then by frames."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.console import drawing
from tui.console.controls import Controls
from tui.console.frames import Frames
from tui.console.keyboard import Keyboard
from tui.console.lookback import Lookback
from tui.console.picture import Picture
from tui.console.pointer import Pointer
from tui.console.session import Session
from tui.keys import Keymap
from tui.look.painted import Painted


class ConsoleView(Painted, can_focus=True):
    """Shows one session. All keys go to the guest until the chord that leaves it; then they are its own,
    and the workbench's."""

    flooded = True
    """It may have something to draw at any time: see :mod:`tui.type_ahead`."""

    class Left(Message):
        """The keys are to go back to the lists."""

    class Done(Message):
        """The tab is to be closed."""

        def __init__(self, console: str) -> None:
            super().__init__()
            self.console = console

    class TabChanged(Message):
        """Title, bell or state of the session are new, or where the keys go."""

        def __init__(self, session: Session) -> None:
            super().__init__()
            self.session = session

    class Asked(Message):
        """A command that is a matter of several consoles."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.command_id = id

    def __init__(self, session: Session, *, frames: float, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        self.named = False
        """Its status line says which console it is."""
        self.lookback: Lookback | None = None
        self.controls = Controls(self)
        self.keyboard = Keyboard(self)
        self._pointer = Pointer(self)
        self._frames = Frames(self, frames)
        self._picture = Picture(self, self._frames)
        self._told: tuple[object, ...] = ()

    def on_mount(self) -> None:
        self.session.changed = self._frames.changed
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self.keyboard.settle()
        self._frames.stop()

    def on_resize(self, event: events.Resize) -> None:
        if self.session.screen is None:
            self.session.start(*self.guest_size)
        self.fit()
        self.draw()

    def fit(self) -> None:
        """The guest's terminal gets the size of what is shown of it."""
        self.session.resize(*self.guest_size)

    @property
    def guest_size(self) -> tuple[int, int]:
        """Columns and rows; the last line of the widget is the status."""
        return max(2, self.size.width), max(1, self.size.height - 1)

    @property
    def visible_here(self) -> bool:
        return self.is_attached and self.display and self.app.screen is self.screen and self.size.width > 0

    @property
    def has_keys(self) -> bool:
        """As ``has_focus``, which Textual sets only after the events that tell of it."""
        return self.is_attached and self.screen.focused is self

    @property
    def keymap(self) -> Keymap:
        app: Any = self.app
        keymap: Keymap = app.workbench.keymap
        return keymap

    # Frames.

    def _tick(self) -> None:
        """A recording's time goes on."""
        if self.session.recording is not None and self.visible_here:
            self.draw()

    def tell(self) -> None:
        """Let the tab know of a new title, bell, state or place of the keys."""
        session = self.session
        if self.visible_here and self.has_keys:
            session.rang = False
        self.keyboard.settle()
        news = (
            session.title,
            session.rang,
            session.state,
            self.keyboard.typing,
            session.recording is None,
            tuple(one for one in session.group if one.connected) if session in session.group else (),
        )
        if news != self._told:
            self._told = news
            self.post_message(self.TabChanged(session))

    def draw(self) -> None:
        self._picture.draw()

    def redraw(self) -> None:
        """Everything: where the keys go, or what is marked, is new."""
        self.tell()
        self._picture.whole()

    def looked_at(self) -> None:
        """The tab has come to the front."""
        self.session.rang = False
        self.tell()
        self.draw()
        self.refresh()

    def say(self, text: str, role: str) -> None:
        """In the status line, until the next key."""
        self._picture.note = (text, role)
        self.redraw()

    def render_line(self, y: int) -> Strip:
        return self._picture.row(y)

    # Where the keys go.

    def type_here(self) -> None:
        """From now on the keys are the guest's."""
        self.keyboard.typing, self._picture.note = True, None
        self.leave_the_past()
        self.redraw()

    def leave_the_past(self) -> None:
        """To the end of what was written."""
        screen = self.session.screen
        if self.lookback is not None or (screen is not None and screen.scrolled):
            self._forget()
            if screen is not None:
                screen.scroll_to_end()
            self.redraw()

    def forget_note(self) -> None:
        self._picture.note = None

    def perform(self, id: str) -> None:
        """One of the console's commands."""
        if not self.controls.perform(id):
            self.post_message(self.Asked(id))

    def on_key(self, event: events.Key) -> None:
        self.keyboard.key(event)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.keyboard.paste(event.text)

    def on_caught(self, event: events.Paste) -> None:
        event.stop()
        # Keys of before that were given to another widget come by way of the screen.
        self.call_after_refresh(self.keyboard.caught_up)

    def on_focus(self) -> None:
        self.keyboard.focused()
        self.tell()
        self.keyboard.tell_focus(b"\x1b[I")
        self.refresh()

    def on_blur(self) -> None:
        if self.app.app_focus and self.app.screen is self.screen:
            # The keys have gone elsewhere in the workbench: the next time they are the guest's again.
            self.keyboard.typing, self.controls.finding = True, None
            self._forget()
        self.tell()
        self.keyboard.tell_focus(b"\x1b[O")
        self.refresh()

    # Looking back.

    def look_back(self) -> Lookback | None:
        if self.lookback is None and self.session.screen is not None:
            self.lookback = Lookback(self.session.screen)
        return self.lookback

    def stop_looking_back(self) -> None:
        self._forget()
        self.redraw()

    def _forget(self) -> None:
        """What was looked for and selected."""
        if self.lookback is not None:
            self.lookback.end()
            self.lookback = None

    def scroll_back(self, rows: int) -> None:
        if self.session.screen is None:
            return
        if self.lookback is not None and not self.keyboard.typing:
            self.lookback.scroll(rows)
        else:
            self.session.screen.scroll(rows)
        self.redraw()

    def address_at(self, x: int, y: int) -> str:
        """Of the hyperlink there."""
        held = self.lookback.held if self.lookback is not None else None
        screen = held or self.session.screen
        links = screen.links(y) if screen is not None else ()
        return next((link.address for link in links if link.start <= x < link.end), "")

    def point_at(self, x: int, y: int) -> None:
        """The address of a link that the mouse is over is shown."""
        address = self.address_at(x, y)
        note = (f"{drawing.plain(address)}   ctrl+click copies it", "accent") if address else None
        if note != self._picture.note and (
            note or (self._picture.note or ("", ""))[0].endswith("ctrl+click copies it")
        ):
            self._picture.note = note
            self.redraw()

    def copy(self, text: str) -> None:
        from tui.console import clipboard

        if not text:
            self.say("There is nothing to copy.", "warn")
        elif not clipboard.sequence(text, tmux=False):
            self.say(f"That is more than a terminal's clipboard takes ({clipboard.CAP:,} bytes).", "bad")
        else:
            self.app.copy_to_clipboard(text)
            self.say(f"Copied: {len(text):,} characters.", "good")

    # The mouse.

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self._pointer.down(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._pointer.moved(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self._pointer.up(event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._pointer.wheel(event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._pointer.wheel(event)

"""Where the keys of a console go: to the guest as they were typed, or, left by the chord, to the console."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events

from tui.console import keys
from tui.console.pasting import confirm_paste
from tui.console.session import SessionState
from tui.look.painting import laid_out

if TYPE_CHECKING:
    from tui.console.driver import PassingDriver
    from tui.console.view import ConsoleView

_BACK, _FORTH = b"\x1b[5;2~", b"\x1b[6;2~"
"""Shift with page up and page down."""
_LOOK, _LONGEST = 0.01, 1.0
"""Seconds between two looks at whether a new size is drawn, and for which keys wait for it at most."""
_AT_ONCE = 1.5
"""Seconds within which the chord counts as pressed twice."""
_RELEASES = 2
"""A flag of the kitty protocol: to be told of keys that are let go. Textual would take them for keys."""


class Keyboard:
    """Of one view; see :class:`tui.console.driver.Typist`."""

    def __init__(self, view: ConsoleView) -> None:
        self._view = view
        self.typing = True
        """Keys go to the guest."""
        self.expected = False
        """The view is about to get the keys: those that come before are meant for it, too."""
        self._left = 0.0
        """When the chord was pressed last, of a monotonic clock."""
        self._fitting: tuple[int, int] | None = None
        """Size of the terminal that the guest has been told of."""
        self._held: list[bytes] = []
        """Typed since the terminal has another size, which the guest has not been told of yet."""

    def focused(self) -> None:
        """The view has the keys now; some that were typed before may still be on their way to it."""
        self.settle()
        if self._driver is None or not self._driver.catching:
            self.expected = False

    def settle(self) -> None:
        """Past Textual to the guest, or not."""
        driver, view, screen = self._driver, self._view, self._view.session.screen
        if driver is None:
            return
        # A recording has no use for most keys.
        live = view.session.state in (SessionState.OPEN, SessionState.CONNECTING) and not view.session.fixed
        if view.has_keys and view.visible_here and self.typing and live and screen is not None:
            leave = keys.sequences(view.keymap.key("console.leave"))
            driver.grab(self, leave, screen.modes.kitty & ~_RELEASES)
        else:
            driver.release(self)

    def caught_up(self) -> None:
        """What was typed before is here."""
        self.expected = False
        if self._driver is not None:
            self._driver.caught_up()

    @property
    def _driver(self) -> PassingDriver | None:
        from tui.console.driver import PassingDriver

        driver = self._view.app._driver
        return driver if isinstance(driver, PassingDriver) else None

    def left(self) -> None:
        """The chord: keys are the console's own, and the workbench's."""
        self._let_go()
        self.typing = False
        self._left = time.monotonic()
        self._view.session.turned_from()
        self._view.forget_note()
        # At once, not when it is drawn: what is typed now is not the guest's.
        self.settle()
        self._view.redraw()

    def typed(self, keys: Sequence[bytes]) -> None:
        """Keys as they came from the terminal. A guest hears of a new size before what is typed in it."""
        if not self.typing and self._driver is not None:
            self._driver.pass_on(keys)
            return
        size = self._driver.measured() if self._driver is not None else None
        waiting = bool(self._held)
        if waiting or size != self._known(size):
            self._held += keys
            if not waiting:
                self._await_size(time.monotonic() + _LONGEST)
            return
        self._fitting = size
        self._type(keys)

    def _known(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        """Size of the terminal that the guest knows of; at first the one that all is laid out for."""
        return self._fitting or (laid_out(self._view.screen) if size is not None else None)

    def _await_size(self, end: float) -> None:
        """Until the workbench is laid out for the terminal as it is now."""
        driver, view = self._driver, self._view
        if driver is not None and driver.measured() != laid_out(view.screen) and time.monotonic() < end:
            view.set_timer(_LOOK, lambda: self._await_size(end))
        else:
            view.call_after_refresh(self._let_go)

    def _let_go(self) -> None:
        held, self._held = self._held, []
        if held:
            if self._driver is not None:
                self._fitting = self._driver.measured()
            self._view.fit()
            self._type(held)

    def _type(self, keys: Sequence[bytes]) -> None:
        view, screen = self._view, self._view.session.screen
        view.forget_note()
        if screen is not None and not screen.alternate and not {_BACK, _FORTH}.isdisjoint(keys):
            page = view.guest_size[1] // 2
            view.scroll_back(page * (keys.count(_FORTH) - keys.count(_BACK)))
            keys = [key for key in keys if key not in (_BACK, _FORTH)]
            if not keys:
                return
        view.leave_the_past()
        view.session.type(keys)

    def pasted(self, text: str) -> None:
        self._let_go()

        def send() -> None:
            self._view.leave_the_past()
            self._view.session.paste(text)

        confirm_paste(self._view.app, text, self._view.session, send)
        # A question takes the keys at once.
        self.settle()

    def tell_focus(self, news: bytes) -> None:
        """To a guest that wants to know whether it has the keys."""
        screen = self._view.session.screen
        if screen is not None and screen.modes.focus:
            self._view.session.send(news)

    # By way of Textual.

    def paste(self, text: str) -> None:
        if self._view.controls.finding is not None:
            self._view.controls.find_paste(text)
        elif self.typing:
            self.pasted(text)

    def takes(self, event: events.Key) -> bool:
        """As ``key``; False where it means nothing here."""
        self.key(event)
        return event._stop_propagation

    def key(self, event: events.Key) -> None:
        view = self._view
        if view.controls.finding is not None:
            _take(event)
            view.controls.find_key(event)
        elif view.session.state is SessionState.CLOSED and (
            self.typing or self._means(event, "console.type")
        ):
            self._key_when_closed(event)
        elif not self.typing or (view.session.fixed and not self._drives(event)):
            self._key_when_looking(event)
        else:
            _take(event)
            if self._means(event, "console.leave"):
                self.left()
            elif view.session.state is SessionState.WAITING and self._means(event, "workbench.back"):
                view.post_message(view.Left())
            else:
                screen = view.session.screen
                told = screen.key if screen is not None else keys.encode
                data = told(event.key, event.character)
                if data:
                    self.typed([data])

    def _drives(self, event: events.Key) -> bool:
        """Whether a recording that is played does something with the key."""
        from tui.console.replay import DRIVING

        return keys.encode(event.key, event.character) in DRIVING

    def _means(self, event: events.Key, id: str) -> bool:
        """Whether it is the user's key for that."""
        return self._view.keymap.key(id) in (event.key, event.character)

    def _key_when_closed(self, event: events.Key) -> None:
        view = self._view
        # What was meant for the guest is not for the workbench.
        _take(event)
        if self._means(event, "console.type") and view.session.gone:
            view.post_message(view.Done(view.id or ""))
        elif self._means(event, "console.type"):
            self.typing = True
            view.session.start(*view.guest_size)
        elif self._means(event, "console.leave"):
            self.left()
        elif self._means(event, "workbench.back"):
            view.post_message(view.Left())

    def _key_when_looking(self, event: events.Key) -> None:
        """Those that mean nothing here are the workbench's."""
        view = self._view
        view.forget_note()
        if self._means(event, "console.leave"):
            # Twice: the guest gets it, where there is one. Later it only makes sure that one has left.
            _take(event)
            if view.session.state is SessionState.CLOSED or time.monotonic() - self._left > _AT_ONCE:
                return
            view.type_here()
            view.session.type(sorted(keys.sequences(event.key), key=len)[:1])
            return
        found = view.keymap.console((event.key, event.character or event.key))
        if found is not None:
            _take(event)
            view.perform(found.id)
        elif view.controls.move(event.character if event.character in ("g", "G") else event.key):
            _take(event)
        elif self._means(event, "workbench.back"):
            _take(event)
            if not view.controls.escape():
                view.stop_looking_back()
                view.post_message(view.Left())


def _take(event: events.Key) -> None:
    event.stop()
    event.prevent_default()

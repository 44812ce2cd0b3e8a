"""Textual's driver, with a way past its parser: a console that has the keys gets the bytes themselves.

Textual knows keys by names, and many have none: on an ordinary terminal alt with most characters, several
function keys with ctrl or alt, and whatever a terminal adds of its own are lost or changed. So the bytes are
cut into keys here, before Textual sees them, and given to the console as they came; mouse, focus and reports
of the terminal go on to Textual.
"""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.console.keystream import PASTE_BEGIN, PASTE_END, Kind, Splitter, Token
from tui.precedence import KEYS

if TYPE_CHECKING:
    from textual.app import App

_PATIENCE = 0.015
"""Seconds for which escape may be the beginning of a longer sequence."""
_TICK = 0.1
_BLOCK = 1 << 16
_OURS = 25
"""Flags of the kitty protocol with which Textual begins."""


class Typist(Protocol):
    """Who has the keys. Called on the event loop, in the order in which things were typed."""

    def typed(self, keys: Sequence[bytes]) -> None: ...

    def pasted(self, text: str) -> None: ...

    def left(self) -> None:
        """The chord that leaves was pressed; what is typed now is Textual's again."""


class Caught(events.Paste):
    """Goes the way of the keys that Textual was given: behind it there are no more of them."""


class PassingDriver(LinuxDriver):
    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._typist: Typist | None = None
        self._leave: frozenset[bytes] = frozenset()
        self._context: Context | None = None
        self._flags = _OURS
        self._parser: XTermParser | None = None
        self._handing = threading.Lock()
        self._leaving = False
        """The chord was pressed, which the typist is not told of yet."""
        self._catching = False
        self._late: list[Callable[[], None]] = []
        """What was typed meanwhile."""

    # On the event loop.

    def grab(self, typist: Typist, leave: frozenset[bytes], flags: int) -> None:
        """From now on keys and pastes are the typist's, until it is left by one of the sequences in
        ``leave``. ``flags``: of the kitty protocol, as the guest wants them."""
        # What is called from here runs as if Textual had called it.
        self._context = copy_context()
        self._leave = leave
        if self._typist is not typist:
            self.caught_up()
            with self._handing:
                if self._leaving:
                    return
                self._typist = typist
                self._catching = True
                self.process_message(Caught(""))
        self._speak(flags)

    @property
    def catching(self) -> bool:
        """Keys from before the typist had them are still on their way through Textual."""
        return self._catching

    def caught_up(self) -> None:
        """The typist has got what was typed before: now what was typed since."""
        self._catching = False
        late, self._late = self._late, []
        for call in late:
            call()

    def release(self, typist: Typist) -> None:
        if self._typist in (None, typist):
            self.caught_up()
            self._typist = None
            self._speak(_OURS)

    def pass_on(self, keys: Sequence[bytes]) -> None:
        """To Textual after all: the typist was left before them, by a chord that came by way of Textual."""
        for key in keys:
            parser = XTermParser(self._debug)
            for event in (*parser.feed(key.decode("utf-8", "replace")), *parser.feed("")):
                self.process_message(event)

    def measured(self) -> tuple[int, int]:
        """Columns and rows of the terminal at this moment: more recent than what is laid out."""
        return self._get_terminal_size()

    def _speak(self, flags: int) -> None:
        if flags != self._flags:
            self._flags = flags
            self.write(f"\x1b[={flags};1u")
            self.flush()

    # In the thread that reads.

    def run_input_thread(self) -> None:
        splitter = Splitter()
        self._parser = XTermParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_PATIENCE if splitter.pending else _TICK):
                    data = os.read(self.fileno, _BLOCK)
                    if not data:
                        # Standard input is a pipe that has ended: nobody will type any more.
                        self.exit_event.wait(_TICK)
                    self._hand_out(splitter.feed(data))
                else:
                    self._hand_out(splitter.flush())
                for event in self._parser.tick():
                    self.process_message(event)

    def _hand_out(self, tokens: Sequence[Token]) -> None:
        with self._handing:
            self._give(tokens)

    def _give(self, tokens: Sequence[Token]) -> None:
        keys: list[bytes] = []
        for token in tokens:
            if token.kind is not Kind.REPORT:
                KEYS.typed()
            typist = self._typist
            if typist is not None and token.kind is Kind.KEY and token.data not in self._leave:
                keys.append(token.data)
                continue
            if keys and typist is not None:
                self._tell(typist.typed, keys)
            keys = []
            if typist is None or token.kind in (Kind.MOUSE, Kind.REPORT):
                self._parse(token)
            elif token.kind is Kind.PASTE:
                self._tell(typist.pasted, token.data.decode("utf-8", "replace"))
            else:
                # What follows in the same breath is not the guest's any more.
                self._typist, self._leaving = None, True
                self._tell(self._left, typist)
        if keys and typist is not None:
            self._tell(typist.typed, keys)

    def _left(self, typist: Typist) -> None:
        self._leaving = False
        typist.left()

    def _tell(self, call: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(self._in_order, partial(call, *arguments), context=self._context)

    def _in_order(self, call: Callable[[], None]) -> None:
        if self._catching:
            self._late.append(call)
        else:
            call()

    def _parse(self, token: Token) -> None:
        assert self._parser is not None
        data = token.data
        if token.kind is Kind.PASTE:
            data = PASTE_BEGIN + data + PASTE_END
        for event in self._parser.feed(data.decode("utf-8", "replace")):
            self.process_message(event)

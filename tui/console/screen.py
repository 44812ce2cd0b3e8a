"""What the console needs of a terminal emulator. Two keep to it: libghostty-vt, and bittty in its place."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from tui.console.mouse import MouseModes
from tui.log.sgr import Sgr

SCROLLBACK = 10_000_000
"""Bytes of lines that have left the screen, for each console."""

Cells = tuple[tuple[str, Sgr], ...]
"""A row as runs of text with the same colours; the blank end of the row may be left out."""

_AFRESH = b"\x18\x1b\\\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004;2026l\x1b[!p\x1b[=0;1u\x1b[m\x1b(B"
"""Ends whatever the guest has left unfinished, and takes back what it had asked for."""


class Cursor(NamedTuple):
    x: int
    y: int
    visible: bool


class Link(NamedTuple):
    """A hyperlink (OSC 8) on some cells of a row."""

    start: int
    end: int
    address: str


class History(NamedTuple):
    """Every row that is kept, oldest first, as text without styles."""

    rows: tuple[str, ...]
    goes_on: frozenset[int]
    """Numbers of rows that the next one continues: the line was too long."""


class Modes(NamedTuple):
    """What the guest has asked the terminal for."""

    application_cursor: bool
    bracketed_paste: bool
    focus: bool
    """To be told when it gets or loses the keys."""
    kitty: int
    """Flags of the kitty protocol for keys; 0 for keys as xterm sends them."""
    mouse: MouseModes


class Changes(msgspec.Struct, frozen=True):
    """What is new since the last look. ``rows`` is None where every row may be."""

    rows: tuple[int, ...] | None


class Shown(Protocol):
    """Rows to look at, and those that have left the screen before them."""

    @property
    def columns(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def cursor(self) -> Cursor: ...

    def row(self, y: int) -> Cells: ...

    def links(self, y: int) -> tuple[Link, ...]: ...

    def scroll(self, rows: int) -> None:
        """Look further back (negative) or forward."""

    def scroll_to_end(self) -> None: ...

    @property
    def scrolled(self) -> int:
        """Rows between what is shown and the end; 0 at the end."""

    def history(self) -> History: ...

    @property
    def total(self) -> int:
        """Rows of the history."""

    @property
    def dropped(self) -> int:
        """How many rows the history has forgotten by now, from its beginning."""


class Screen(Shown, Protocol):
    """One terminal. Not thread-safe; every method is quick, ``feed`` in proportion to its data. ``row`` and
    ``links`` are as of the last ``changes``."""

    @property
    def title(self) -> str:
        """As the guest set it."""

    def feed(self, data: bytes) -> None:
        """Output of the guest. Never raises, whatever it is."""

    def take_replies(self) -> bytes:
        """What the terminal has to answer the guest (reports that it asked for); given out once."""

    def take_bell(self) -> bool:
        """Whether the bell rang since the last call."""

    def resize(self, columns: int, rows: int) -> None:
        """Lines are wrapped anew."""

    @property
    def held(self) -> bool:
        """The guest is in the middle of a frame (synchronized output): draw later."""

    def changes(self) -> Changes: ...

    @property
    def alternate(self) -> bool:
        """A full-screen program is on."""

    def key(self, key: str, character: str | None) -> bytes:
        """A key of Textual as the guest expects it now; b"" for one that it cannot be told."""

    @property
    def modes(self) -> Modes: ...

    def text(self) -> str:
        """The visible rows as plain text."""

    def close(self) -> None: ...


def create(columns: int, rows: int) -> Screen:
    """The fast emulator, or the one in Python where the fast one's library is missing."""
    try:
        from tui.console.ghostty import GhosttyScreen
    except (ImportError, OSError):
        from tui.console.fallback import BitttyScreen

        return BitttyScreen(columns, rows)
    return GhosttyScreen(columns, rows)


def begin_afresh(screen: Screen) -> None:
    """What is on the screen stays; the next guest writes below it."""
    screen.feed(_AFRESH + (b"\x1b[?1049l" if screen.alternate else b""))
    screen.take_replies()
    if screen.cursor.x:
        screen.feed(b"\r\n")

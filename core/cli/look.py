"""Colours and symbols, for terminals that have them and for those that do not."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

# Imports nothing of the model, whose states are texts: ``status`` waits for this module.

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_STEP_COLOURS = {
    "waiting": "dim",
    "running": "cyan",
    "done": "green",
    "cached": "green",
    "skipped": "dim",
    "failed": "red",
    "cancelled": "yellow",
}
_STATE_COLOURS = {
    "running": "green",
    "starting": "cyan",
    "stopping": "cyan",
    "suspended": "yellow",
    "broken": "red",
    "not created": "dim",
}
_MACHINE_COLOURS = ("cyan", "magenta", "yellow", "blue", "green")


class Look:
    """How text is dressed: with colours or without, in Unicode or in ASCII."""

    def __init__(self, colour: bool = False, unicode: bool = True, width: int = 0) -> None:
        self.colour = colour
        self.unicode = unicode
        self.width = width
        """Cells that prose is to fit; 0 where it need not."""

    def paint(self, text: str, *styles: str) -> str:
        if not self.colour or not text:
            return text
        codes = ";".join(_CODES[style] for style in styles if style)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes else text

    def step(self, state: str, beat: int = 0) -> str:
        """The symbol of a step; a running one turns with ``beat``."""
        return self.paint(self._step_symbol(state, beat), _STEP_COLOURS[state])

    def _step_symbol(self, state: str, beat: int) -> str:
        if state == "running":
            wheel = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if self.unicode else "|/-\\"
            return wheel[beat % len(wheel)]
        symbols = {
            "waiting": "·.",
            "done": "✓+",
            "cached": "✓=",
            "skipped": "–-",
            "failed": "✗x",
            "cancelled": "⊘!",
        }[state]
        return symbols[0 if self.unicode else 1]

    def machine(self, state: str) -> str:
        """Symbol and word of a machine's state: never colour alone."""
        symbols = {
            "running": "●*",
            "starting": "◐>",
            "stopping": "◑<",
            "suspended": "◒~",
            "broken": "✗x",
        }.get(state, "○-")
        return self.paint(f"{symbols[0 if self.unicode else 1]} {state}", _STATE_COLOURS.get(state, ""))

    def label(self, name: str, number: int) -> str:
        """``[web]``, each machine in a colour of its own."""
        return self.paint(f"[{name}]", _MACHINE_COLOURS[number % len(_MACHINE_COLOURS)])

    def bar(self, part: float, cells: int) -> str:
        """A bar of ``cells`` that is filled to ``part`` of 1."""
        full = round(max(0.0, min(1.0, part)) * cells)
        on, off = ("▰", "▱") if self.unicode else ("#", ".")
        return self.paint(on * full, "cyan") + self.paint(off * (cells - full), "dim")

    @property
    def more(self) -> str:
        return "…" if self.unicode else "..."

    @property
    def dot(self) -> str:
        return "·" if self.unicode else "-"

    @property
    def arrow(self) -> str:
        return "→" if self.unicode else "->"

    @property
    def gutter(self) -> str:
        return self.paint("│" if self.unicode else "|", "dim")


def for_stream(stream: TextIO, *, wanted: bool = True) -> Look:
    """The look that fits a stream: colours on a terminal that is not dumb, unless NO_COLOR is set."""
    encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "")
    unicode = encoding.startswith("utf")
    colour = wanted and capable(stream) and not os.environ.get("NO_COLOR")
    return Look(colour=colour, unicode=unicode, width=columns(stream))


def capable(stream: TextIO) -> bool:
    """Is it a terminal that understands escape sequences?"""
    try:
        terminal = stream.isatty()
    except ValueError:
        return False
    return terminal and os.environ.get("TERM", "dumb") not in ("dumb", "")


def columns(stream: TextIO) -> int:
    """Columns of the terminal; 0 where the output goes elsewhere and need not fit."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return 0

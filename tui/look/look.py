"""Roles to styles: what a widget asks for when it draws a line."""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style

from tui.look.signs import ASCII, UNICODE, Signs
from tui.look.themes import Theme
from tui.terminal import Terminal


class Look:
    """A theme on a terminal. Replaced as a whole when the theme changes."""

    def __init__(self, theme: Theme, terminal: Terminal) -> None:
        self.theme = theme
        self.terminal = terminal
        self.signs: Signs = UNICODE if terminal.unicode else ASCII

    @property
    def colourless(self) -> bool:
        return self.terminal.colours == 0

    def style(self, role: str, *, on: str = "background", bold: bool = False) -> Style:
        """``role`` names a colour of the theme, with ``!`` before it for bold text. ``on`` is the role of
        the background."""
        if role.startswith("!"):
            role, bold = role[1:], True
        return _style(self.theme, role, on, bold, self.colourless)

    def selected(self, role: str, *, focused: bool) -> Style:
        """Of a row that is selected: clearly so where its list has the keys, fainter where not."""
        if role.startswith("!"):
            role = role[1:]
        if self.colourless or self.theme.ansi:
            base = _style(self.theme, role, "background", True, self.colourless)
            return base + Style(reverse=True) if focused else base + Style(underline=True)
        if not focused:
            return _style(self.theme, role, "panel", True, False)
        keep = role in ("good", "busy", "warn", "bad", "cached")
        return _style(self.theme, role if keep else "selection_text", "selection", True, False)


@lru_cache(maxsize=512)
def _style(theme: Theme, role: str, on: str, bold: bool, colourless: bool) -> Style:
    faint = role == "muted" and (colourless or theme.ansi)
    loud = colourless and role in ("bad", "warn", "focus", "accent")
    if colourless:
        return Style(bold=bold or loud, dim=faint)
    colours = theme.colours
    return Style(
        color=rich_colour(getattr(colours, role)),
        bgcolor=rich_colour(getattr(colours, on)),
        bold=bold,
        dim=faint,
    )


def rich_colour(colour: str) -> str:
    return colour.removeprefix("ansi_")

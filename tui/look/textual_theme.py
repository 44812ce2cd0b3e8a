"""A theme as Textual wants it."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES
from textual.theme import Theme as TextualTheme

from tui.look.themes import Theme


def textual_theme(name: str, theme: Theme) -> TextualTheme:
    colours = theme.colours
    names = variables(theme)
    if theme.ansi:
        # Textual's own styles name more colours where they are the terminal's.
        names = {**BUILTIN_THEMES["ansi-dark"].variables, **names}
    return TextualTheme(
        name=name,
        primary=colours.accent,
        secondary=colours.cached,
        accent=colours.accent,
        foreground=colours.text,
        background=colours.background,
        surface=colours.background,
        panel=colours.panel,
        success=colours.good,
        warning=colours.warn,
        error=colours.bad,
        dark=theme.dark,
        ansi=theme.ansi,
        variables=names,
    )


def variables(theme: Theme) -> dict[str, str]:
    colours = theme.colours
    return {
        "muted": colours.muted,
        "line": colours.border,
        "focus": colours.focus,
        "selection": colours.selection,
        "selection-text": colours.selection_text,
    }

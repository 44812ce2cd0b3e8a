"""The screen by libghostty-vt."""

from tui.console.ghostty.screen import GhosttyScreen

__all__ = ["GhosttyScreen"]

"""The themes that there are: ours and the user's own, which one is worn, and whether its file was edited."""

from __future__ import annotations

from pathlib import Path

from core.errors import ConfigError
from tui.look import themes
from tui.look.themes import Theme
from tui.terminal import Terminal


class Wardrobe:
    """``own``: the user's folder, which goes before ``ours``."""

    def __init__(self, own: Path, ours: Path, terminal: Terminal) -> None:
        self._folders = [own, ours]
        self._terminal = terminal
        self.worn = themes.COLOURLESS
        self.complaint: ConfigError | None = None
        """Why the theme that was wanted is not worn."""
        self._file: Path | None = None
        self._changed = 0

    @property
    def fixed(self) -> bool:
        """The terminal has too few colours for a choice."""
        return self._terminal.plain

    def first(self, wanted: str) -> Theme:
        """The theme to begin with: the one that is wanted, unless the terminal or the theme itself
        forbids; then ``complaint`` says why."""
        if self._terminal.colours == 0:
            return self.worn
        try:
            return self.wear(themes.PLAIN if self.fixed else wanted or themes.DARK)
        except ConfigError as error:
            self.complaint = error
            return self.wear(themes.DARK)

    def wear(self, name: str) -> Theme:
        """Raises ConfigError, and changes nothing, where the theme cannot be used."""
        path = themes.place(name, self._folders)
        changed = path.stat().st_mtime_ns
        self.worn = themes.read(path)
        self._file, self._changed = path, changed
        return self.worn

    def again(self) -> Theme | None:
        """The theme anew where its file was edited; None where it was not. Raises ConfigError once for
        each edit that broke it: what was worn is worn on."""
        if self._file is None:
            return None
        try:
            changed = self._file.stat().st_mtime_ns
        except OSError:
            return None  # An editor is about to put the new one in its place.
        if changed == self._changed:
            return None
        self._changed = changed
        self.worn = themes.read(self._file)
        return self.worn

    def names(self) -> list[str]:
        """Of all themes, usable or not: dark ones first, then light ones, each by its name."""
        return sorted(themes.names(self._folders), key=lambda name: (not self._is_dark(name), name))

    def _is_dark(self, name: str) -> bool:
        try:
            return self.look_at(name).dark
        except ConfigError:
            return False

    def look_at(self, name: str) -> Theme:
        """Raises ConfigError."""
        return themes.find(name, self._folders)

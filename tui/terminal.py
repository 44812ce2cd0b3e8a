"""What the terminal that we run in can do, as far as its environment tells."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping

import msgspec

FRAMES = 10.0
"""Refreshes a second of everything but consoles."""
FRAMES_CALM = 4.0
CONSOLE_FRAMES = 60.0
CONSOLE_FRAMES_CALM = 15.0

_TRUE_COLOUR = frozenset({"alacritty", "kitty", "ghostty", "wezterm"})


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that decide how the workbench looks and how often it draws."""

    colours: int = 1 << 24
    """0 (none wanted), 16, 256 or 16 million."""
    unicode: bool = True
    remote: bool = False
    """Over SSH: fewer frames."""
    reduced_motion: bool = False
    """Wanted in the settings."""

    @property
    def calm(self) -> bool:
        """Fewer frames, and nothing moves by itself."""
        return self.remote or self.reduced_motion

    @property
    def frames(self) -> float:
        return FRAMES_CALM if self.calm else FRAMES

    @property
    def console_frames(self) -> float:
        return CONSOLE_FRAMES_CALM if self.calm else CONSOLE_FRAMES

    @property
    def plain(self) -> bool:
        """Only the terminal's own colours, or none."""
        return self.colours <= 16


def look_around(environment: Mapping[str, str] | None = None) -> Terminal:
    """The terminal of this process. ``environment`` replaces ``os.environ`` in tests."""
    env = os.environ if environment is None else environment
    return Terminal(
        colours=_colours(env),
        unicode=_speaks_utf8(env),
        remote=bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY")),
    )


def _colours(env: Mapping[str, str]) -> int:
    if env.get("NO_COLOR") is not None:
        return 0
    if env.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return 1 << 24
    name = env.get("TERM", "").strip().lower()
    if name in ("", "dumb", "unknown"):
        return 0
    if name.endswith("-direct") or not _TRUE_COLOUR.isdisjoint(name.split("-")):
        return 1 << 24
    return 256 if name.endswith("256color") else 16


def _speaks_utf8(env: Mapping[str, str]) -> bool:
    wanted = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG")
    if wanted is None:
        # Python falls back to UTF-8 in the C locale, whatever the terminal can show.
        return False
    codeset = wanted.partition(".")[2].partition("@")[0]
    if not codeset:
        return wanted not in ("C", "POSIX") and "utf" in locale.getpreferredencoding(False).lower()
    return codeset.lower().replace("-", "") == "utf8"

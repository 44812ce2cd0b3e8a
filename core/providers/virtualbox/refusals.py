"""What VirtualBox refuses, in words: sometimes it has none, only a number."""

from __future__ import annotations

FILE_ERROR = 0x80BB0004
"""``VBOX_E_FILE_ERROR``: a file could not be read or written."""

_FULL = ("VERR_DISK_FULL", "No space left")
_ROOM = "free some space on the disk of Boxwright's folder, and look whether VirtualBox may write there"


def explained(number: int, text: str) -> tuple[str, str]:
    """Why, and what mends it where that is known."""
    if (not text and number == FILE_ERROR) or any(sign in text for sign in _FULL):
        return text or "It could not read or write a file.", _ROOM
    return text or f"It says no more than its number, {number:#x}.", ""

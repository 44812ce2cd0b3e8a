"""Where the cursor of a list goes with a key."""

from __future__ import annotations


def place(key: str, cursor: int, page: int, count: int) -> int | None:
    """Number of the row, which may be beyond the ends; None where the key moves nothing."""
    match key:
        case "up" | "k":
            return cursor - 1
        case "down" | "j":
            return cursor + 1
        case "pageup":
            return cursor - page
        case "pagedown":
            return cursor + page
        case "home" | "g":
            return 0
        case "end" | "G":
            return count - 1
    return None

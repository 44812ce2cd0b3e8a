"""What people see as one character."""

from __future__ import annotations

import unicodedata


def clusters(given: str) -> list[str]:
    """Text cut into characters together with what modifies them: accents, joiners, a line's two ends."""
    found: list[str] = []
    for character in given:
        if found and _belongs(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _belongs(before: str, character: str) -> bool:
    if character == "\n":
        return before == "\r"
    if before[-1] in "\r\n":
        return False
    if before[-1] == "\u200d" or character in "\u200d\ufe0e\ufe0f":
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        flags = [one for one in before if "\U0001f1e6" <= one <= "\U0001f1ff"]
        return len(flags) == 1 and len(before) == 1
    return unicodedata.category(character) in ("Mn", "Me", "Mc")

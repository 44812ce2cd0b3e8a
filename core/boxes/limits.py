"""How much a box may be: an archive is hostile until shown otherwise."""

from __future__ import annotations

import os

import msgspec

from core.errors import UsageError

VARIABLE = "BOXWRIGHT_BOX_LIMIT"


class Limits(msgspec.Struct, frozen=True):
    """What is more than this is refused."""

    unpacked: int = 256 << 30
    """Bytes of all files of a box together, holes included."""
    entries: int = 10_000
    """Files and folders in an archive."""
    trailing: int = 16 << 20
    """Bytes after the end of an archive."""
    header: int = 16 << 20
    """Bytes of headers of one entry."""
    metadata: int = 4 << 20
    """Bytes of metadata.json and other files that are read as a whole."""
    document: int = 16 << 20
    """Bytes of a catalogue."""


def limits() -> Limits:
    """The limits, with the one for unpacked bytes taken from $BOXWRIGHT_BOX_LIMIT where that is set.

    Raises UsageError for a value that is no size.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return Limits()
    from core.model.project import parse_size

    try:
        return Limits(unpacked=parse_size(text))
    except ValueError as error:
        raise UsageError(f"{VARIABLE}: {error}", remedy=f"export {VARIABLE}=256GiB") from error

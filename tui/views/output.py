"""The end of some output, as plain lines."""

from __future__ import annotations

import os

from tui.log import line as lines
from tui.log.sgr import PLAIN

_MOST = 8
_BYTES = 4096


def log_tail(data: bytes) -> list[str]:
    """The last lines that are not empty, without colours."""
    found: list[str] = []
    for raw in reversed(data[-_BYTES:].split(b"\n")):
        text = lines.text_of(lines.runs(raw, PLAIN)[0]).rstrip()
        if text:
            found.insert(0, text)
        if len(found) == _MOST:
            break
    return found


def file_tail(path: str) -> list[str]:
    """Of a file; none where it does not exist."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _BYTES))
            return log_tail(file.read(_BYTES))
    except OSError:
        return []

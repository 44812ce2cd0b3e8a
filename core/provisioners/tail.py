"""The last lines of an output of any size, in bounded memory."""

from __future__ import annotations

import re

_KEPT_BYTES = 16 * 1024
_KEPT_LINES = 20
_LINE_LIMIT = 400
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


class Tail:
    """Takes output as it comes; ``lines`` gives its end as plain text."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def write(self, data: bytes) -> None:
        self._kept += data[-_KEPT_BYTES:]
        if len(self._kept) > _KEPT_BYTES:
            del self._kept[:-_KEPT_BYTES]

    def lines(self) -> tuple[str, ...]:
        """At most 20 lines, oldest first, without colours; of a line that was drawn over and over
        (a progress bar) what it showed last; of a very long line its end."""
        found = []
        for raw in bytes(self._kept).split(b"\n"):
            shown = raw.rstrip(b"\r").rsplit(b"\r", 1)[-1]
            text = _CONTROLS.sub(b"", _ESCAPES.sub(b"", shown)).decode("utf-8", "replace").rstrip()
            if text:
                found.append(text if len(text) <= _LINE_LIMIT else "…" + text[-_LINE_LIMIT:])
        return tuple(found[-_KEPT_LINES:])

"""Taking a log away: its text for the clipboard, or a copy in a file."""

from __future__ import annotations

import re
from collections.abc import Callable

from tui.log.reader import Reader
from tui.log.script import Section
from tui.new_file import new_file

_CONTROLS = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1f\x7f]"
)
_PIECE = 1 << 20


def ending(reader: Reader, cap: int) -> tuple[str, bool]:
    """The text without colours, of a long log the last whole lines of at most ``cap`` bytes; and whether
    that is all of it."""
    parts: list[bytes] = []
    left = cap
    for section in reversed(reader.script.sections):
        data = _CONTROLS.sub(b"", _last(reader, section, left * 2))
        parts.insert(0, data)
        left -= len(data)
        if left <= 0:
            break
    whole = left > 0 and sum(map(len, parts)) <= cap and _complete(reader, parts)
    text = b"".join(parts)
    if len(text) > cap:
        text = text[-cap:]
        text = text[text.find(b"\n") + 1 :]
    return text.decode("utf-8", "replace"), whole


def plain(data: bytes) -> str:
    """Output without colours and other controls."""
    return _CONTROLS.sub(b"", data).decode("utf-8", "replace")


def _complete(reader: Reader, parts: list[bytes]) -> bool:
    return len(parts) == len(reader.script.sections)


def _last(reader: Reader, section: Section, limit: int) -> bytes:
    index = reader.script.sources[section.source].index
    start, end = index.span(section.first)[0], _end(reader, section)
    return index.read(max(start, end - limit), min(end - start, limit))


def _end(reader: Reader, section: Section) -> int:
    index = reader.script.sources[section.source].index
    return index.span(section.end)[0] if section.end < index.lines else index.size


def save(reader: Reader, name: str) -> int:
    """Write all of it, colours too, to a new file; the number of bytes. Lines of several machines begin
    with the machine's name. Raises BoxwrightError."""
    with new_file(name) as file:
        for section in reader.script.sections:
            _write(reader, section, file.write)
        return file.tell()


def _write(reader: Reader, section: Section, write: Callable[[bytes], object]) -> None:
    source = reader.script.sources[section.source]
    if not source.owner:
        at, end = source.index.span(section.first)[0], _end(reader, section)
        while at < end:
            data = source.index.read(at, min(_PIECE, end - at))
            write(data)
            at += len(data)
        return
    name = source.owner.encode("utf-8", "replace")
    for line in range(section.first, section.end):
        start, end = source.index.span(line)
        write(name + b" | " + source.index.read(start, end - start) + b"\n")

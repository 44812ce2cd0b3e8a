"""Recordings of consoles: asciicast, version 2, which anybody's asciinema plays too."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
import time
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import ConfigError
from core.model.problem import Place
from core.paths import locations

_FLUSH = 1.0
"""Seconds after which what was recorded is in the file at the latest."""
_LARGEST = 1000
"""Columns or rows of a recording that is played."""


def folder() -> Path:
    return locations().data / "recordings"


def path_for(name: str) -> Path:
    """A file that is not there yet, named after the machine and the time."""
    base = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "console"
    stem = f"{base}-{time.strftime('%Y%m%d-%H%M%S')}"
    found = [folder() / f"{stem}{'' if number == 1 else f'-{number}'}.cast" for number in range(1, 100)]
    return next((path for path in found if not path.exists()), found[-1])


class Recording:
    """Writes what a guest sends, with its times. A full disk ends it: ``trouble`` says so."""

    def __init__(self, path: Path, columns: int, rows: int, title: str) -> None:
        """Raises OSError."""
        self.path = path
        self.trouble = ""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # What is on a screen is nobody else's business.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        self._started = self._flushed = time.monotonic()
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        header = {
            "version": 2,
            "width": columns,
            "height": rows,
            "timestamp": int(time.time()),
            "title": title,
            "env": {"TERM": "xterm-256color"},
        }
        self._write(json.dumps(header))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def output(self, data: bytes) -> None:
        text = self._decode(data)
        if text:
            self._event("o", text)

    def resize(self, columns: int, rows: int) -> None:
        self._event("r", f"{columns}x{rows}")

    def _event(self, kind: str, data: str) -> None:
        self._write(json.dumps([round(self.seconds, 6), kind, data], ensure_ascii=False))

    def _write(self, line: str) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(line + "\n")
            if time.monotonic() - self._flushed > _FLUSH:
                self._flushed = time.monotonic()
                self._file.flush()
        except OSError as error:
            self.trouble = str(error)
            with contextlib.suppress(OSError):
                self._file.close()

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.trouble = self.trouble or str(error)


# Playing.


class Event(NamedTuple):
    time: float
    kind: str
    """"o": output; "r": a new size."""
    data: str


class Cast(msgspec.Struct, frozen=True):
    """A recording that was read."""

    columns: int
    rows: int
    title: str
    events: tuple[Event, ...]

    @property
    def length(self) -> float:
        return self.events[-1].time if self.events else 0.0

    def until(self, time: float) -> int:
        """How many events have happened by then."""
        return bisect_right(self.events, time, key=lambda event: event.time)


def size_of(text: str) -> tuple[int, int] | None:
    """``80x24``; None for what is no sensible size."""
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    if match is None:
        return None
    columns, rows = int(match[1]), int(match[2])
    return (columns, rows) if 0 < columns <= _LARGEST and 0 < rows <= _LARGEST else None


def read(path: Path) -> Cast:
    """Raises ConfigError for what is no recording. Kinds of events that are not known are left out; a last
    line that was cut, too."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = list(file)
    except OSError as error:
        raise ConfigError("The recording cannot be read.", why=str(error), place=Place(str(path))) from error
    header = _json(lines[0]) if lines else None
    if not isinstance(header, dict) or header.get("version") != 2:
        raise _broken(path, 1, "its first line is no header of asciicast version 2")
    size = size_of(f"{header.get('width')}x{header.get('height')}")
    if size is None:
        raise _broken(path, 1, "its width and height make no sense")
    title = header.get("title")
    events = tuple(_events(path, lines))
    return Cast(*size, title if isinstance(title, str) and title else path.stem, events)


def _events(path: Path, lines: list[str]) -> Iterator[Event]:
    latest = 0.0
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        match _json(line):
            case [int() | float() as at, str() as kind, str() as data] if at == at and abs(at) < 1e9:
                latest = max(latest, float(at))
                if kind in ("o", "r"):
                    yield Event(latest, kind, data)
            case _ if number < len(lines) or line.endswith("\n"):
                raise _broken(path, number, "a line is no event: [seconds, kind, data]")


def _json(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _broken(path: Path, line: int, why: str) -> ConfigError:
    return ConfigError(
        "This is no recording that can be played.", why=f"{why}.", place=Place(str(path), line=line)
    )

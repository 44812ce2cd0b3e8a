"""An archive that is being downloaded: a file that grows, kept when the download is cut.

One side appends (the event loop's), another reads from the beginning (a thread that unpacks) and
waits where there is nothing more yet.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import msgspec

from core.boxes.http import visible
from core.boxes.locks import FileLock, try_lock
from core.boxes.threads import Stop
from core.errors import BusyError

_WAIT = 0.2


class StartedAgain(Exception):
    """The server has another file now: what was read so far is void."""


class PartialState(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down beside the file, in order to go on with it later."""

    url: str
    validator: str = ""
    """A strong ETag or a date of last modification: while it is the same, so is the file."""
    total: int | None = None


class Partial:
    """The file of one address in the folder ``downloads`` of a store, locked while in use."""

    def __init__(self, folder: Path, url: str) -> None:
        name = hashlib.sha256(url.encode()).hexdigest()[:32]
        self.path = folder / f"{name}.part"
        self._state_path = folder / f"{name}.json"
        self._lock_path = folder / f"{name}.lock"
        self._url = visible(url)
        self._lock: FileLock | None = None
        self._changed = threading.Condition()
        self._generation = 0
        self._ended = False
        self._confirmed = False
        self.size = 0
        self.state = PartialState(url=self._url)

    def open(self) -> None:
        """Take up what is there. Raises BusyError where another operation downloads the same."""
        self._lock = try_lock(self._lock_path)
        if not self._lock:
            raise BusyError(
                f"{self._url} is being downloaded already.",
                why="Another operation does that at this moment.",
                remedy="wait until it has ended: boxwright ops",
            )
        try:
            self.state = msgspec.json.decode(self._state_path.read_bytes(), type=PartialState)
            self.size = self.path.stat().st_size
        except (OSError, msgspec.MsgspecError):
            self.path.write_bytes(b"")
        self._file = self.path.open("r+b", buffering=0)

    def close(self, *, keep: bool) -> None:
        """Let go of the file, and without ``keep`` remove it. Readers see its end."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if not self._lock:
            return
        self._file.close()
        if not keep or not self.size:
            self.path.unlink(missing_ok=True)
            self._state_path.unlink(missing_ok=True)
        self._lock_path.unlink(missing_ok=True)
        self._lock.release()
        self._lock = None

    # The side that writes

    def describe(self, validator: str, total: int | None) -> None:
        """Write down what the server said of the file."""
        self.state = PartialState(url=self._url, validator=validator, total=total)
        beside = self._state_path.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(self.state))
        beside.replace(self._state_path)

    def append(self, data: bytes | bytearray) -> None:
        """Raises OSError (ENOSPC); what could be written counts."""
        view = memoryview(data)
        try:
            while view:
                self._file.seek(self.size)
                count = self._file.write(view) or 0
                view = view[count:]
                with self._changed:
                    self.size += count
                    self._changed.notify_all()
        finally:
            view.release()

    def start_again(self) -> None:
        """Forget all: the server has another file."""
        with self._changed:
            self.size = 0
            self._generation += 1
            self._file.truncate(0)
            self._changed.notify_all()
        self.describe("", None)

    def same(self, offset: int, data: bytes) -> bool:
        """Whether the file has these bytes there."""
        self._file.seek(offset)
        return self._file.read(len(data)) == data

    def confirm(self) -> None:
        """The server has the same file as what is here: it may be read."""
        with self._changed:
            self._confirmed = True
            self._changed.notify_all()

    def finish(self) -> None:
        """The file is complete."""
        with self._changed:
            self._confirmed = True
            self._ended = True
            self._changed.notify_all()

    # The side that reads

    def reader(self, stop: Stop) -> PartialReader:
        return PartialReader(self, stop)

    def wait_beyond(self, position: int, generation: int, stop: Stop) -> int:
        """Wait until there are bytes after ``position``; returns how many, 0 at the end of a complete file.

        Raises StartedAgain, and Stopped.
        """
        with self._changed:
            while True:
                stop.check()
                if generation != self._generation and position:
                    raise StartedAgain
                if self._confirmed and self.size > position:
                    return self.size - position
                if self._ended:
                    return 0
                self._changed.wait(_WAIT)

    @property
    def generation(self) -> int:
        return self._generation


class PartialReader:
    """Reads the file from its beginning while it grows; made anew after StartedAgain."""

    def __init__(self, partial: Partial, stop: Stop) -> None:
        self._partial = partial
        self._stop = stop
        self._generation = partial.generation
        self._position = 0
        self._file = partial.path.open("rb", buffering=0)

    def read(self, size: int) -> bytes:
        there = self._partial.wait_beyond(self._position, self._generation, self._stop)
        data = self._file.read(min(size, there)) if there else b""
        if self._partial.generation != self._generation:
            if self._position:
                raise StartedAgain
            self._generation = self._partial.generation
            self._file.seek(0)
            return self.read(size)
        self._position += len(data)
        return data

    def whole(self) -> Path:
        position = self._position
        while there := self._partial.wait_beyond(position, self._generation, self._stop):
            position += there
        return self._partial.path

    def close(self) -> None:
        self._file.close()

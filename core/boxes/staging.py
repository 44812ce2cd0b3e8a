"""A private folder inside the store in which a box comes together before it is published.

Its lock is held as long as the box is being made: a staging folder whose lock is free was
abandoned by a process that died, and may be removed.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from core import undo
from core.boxes.flushing import Flusher
from core.boxes.hashing import BackgroundHash
from core.boxes.locks import FileLock, try_lock
from core.boxes.manifest import StoredFile
from core.errors import BoxwrightError

_HOLE = 64 * 1024
"""Zeros in stretches of this many bytes are left out of the file: it becomes sparse."""
_ZEROS = bytes(_HOLE)

LOCK_NAME = "lock"


class Staging:
    """Files under ``content/``, each hashed while it is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content = folder / "content"
        self.files: dict[str, StoredFile] = {}
        self.aliases: dict[str, StoredFile] = {}
        """Second names of files, from links."""
        self._lock: FileLock | None = None

    @staticmethod
    def new_folder(parent: Path) -> Path:
        """A path that does not exist yet, so that it can be written down before it does."""
        return parent / secrets.token_hex(8)

    def make(self) -> None:
        """Make the folder and hold its lock. The caller holds the store's lock meanwhile, as a folder
        without a lock looks abandoned."""
        self.folder.mkdir(mode=0o700)
        self._lock = try_lock(self.folder / LOCK_NAME)
        self.content.mkdir(mode=0o700)

    def path(self, name: str) -> Path:
        """Where the content of the box's file ``name`` lies: a number, so that no name can do harm."""
        if name in self.aliases:
            blob = self.aliases[name].blob
            name = next(path for path, file in self.files.items() if file.blob == blob)
        return self.content / str(list(self.files).index(name))

    def contents(self) -> dict[str, Path]:
        """Where the content of each file lies, by name."""
        return {file.path: self.path(file.path) for file in self.all_files()}

    def all_files(self) -> tuple[StoredFile, ...]:
        return (*self.files.values(), *self.aliases.values())

    def sink(self, name: str) -> Sink:
        """Begin a new file of the box; at most one at a time, closed by ``Sink.finish``."""
        return Sink(self, name, self.content / str(len(self.files)))

    def clear(self) -> None:
        """Forget all files, to begin again."""
        undo.remove(self.content)
        self.content.mkdir(mode=0o700)
        self.files.clear()
        self.aliases.clear()

    def close(self) -> None:
        """Remove the folder. Harmless when repeated."""
        undo.remove(self.folder)
        if self._lock:
            self._lock.release()
            self._lock = None


class Sink:
    """A file of a box while it is written: hashed, and sparse where it holds zeros."""

    def __init__(self, staging: Staging, name: str, path: Path) -> None:
        self.folder = staging.folder
        self._staging = staging
        self._name = name
        self._path = path
        self._file = path.open("xb", buffering=0)
        self._hash = BackgroundHash()
        self._flusher = Flusher(self._file.fileno())
        self._size = 0

    def write(self, block: bytes | memoryview) -> None:
        """Append. Raises OSError (ENOSPC) as the file system does."""
        self._hash.update(block)
        write_sparse(self._file.fileno(), block, self._size)
        self._size += len(block)
        self._flusher.grew(self._size)

    def hole(self, length: int) -> None:
        """Append zeros that take no space."""
        self._size += length
        while length > 0:
            step = min(length, _HOLE)
            self._hash.update(_ZEROS if step == _HOLE else _ZEROS[:step])
            length -= step

    def finish(self) -> StoredFile:
        """Close the file and make it part of the box."""
        os.ftruncate(self._file.fileno(), self._size)
        self._flusher.finish()
        allocated = os.fstat(self._file.fileno()).st_blocks * 512
        self._file.close()
        stored = StoredFile(
            path=self._name, blob=self._hash.hexdigest(), size=self._size, allocated=allocated
        )
        self._staging.files[self._name] = stored
        return stored

    def abandon(self) -> None:
        self._hash.close()
        self._flusher.close()
        self._file.close()

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()


def write_sparse(descriptor: int, block: bytes | memoryview, offset: int) -> None:
    """Write ``block`` at ``offset`` but for stretches of zeros, which stay holes."""
    start = None
    for at in range(0, len(block), _HOLE):
        if _is_zero(block, at):
            if start is not None:
                _write(descriptor, memoryview(block)[start:at], offset + start)
                start = None
        elif start is None:
            start = at
    if start is not None:
        _write(descriptor, memoryview(block)[start:], offset + start)


def _is_zero(block: bytes | memoryview, at: int) -> bool:
    """Whether the stretch at ``at`` is all zeros; looks at its first byte before copying anything."""
    if block[at]:
        return False
    stretch = bytes(block[at : at + _HOLE])
    return stretch == (_ZEROS if len(stretch) == _HOLE else _ZEROS[: len(stretch)])


def _write(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data = data[written:]
        offset += written


def is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


class NoSpace(BoxwrightError):
    """The disk is full: ``needed`` bytes, at least, are asked for at ``folder``."""

    def __init__(self, folder: Path, needed: int, *, kept: str = "") -> None:
        why = f"At least {megabytes(needed)} are needed at {folder}; {megabytes(_free(folder))} are free."
        super().__init__(
            "No space is left for the box.",
            why=f"{why} {kept}".strip(),
            remedy="boxwright box prune, or free space in another way; then add the box again",
        )
        self.needed = needed


@contextmanager
def file_system_errors(folder: Path) -> Iterator[None]:
    """Errors of the file system in the block, which works in ``folder``, become errors for people."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise NoSpace(folder, 0) from error
        raise BoxwrightError(
            f"The file system refuses to go on: {error.strerror or error}.",
            why=f"It happened with {error.filename or folder}.",
            remedy="check the permissions and the disk",
        ) from error


def _free(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def megabytes(count: int) -> str:
    """For messages: bytes as MB or GB, rounded up."""
    if count >= 10**9:
        return f"{count / 10**9:.1f} GB"
    return f"{-(-count // 10**6)} MB"

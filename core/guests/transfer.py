"""Uploads and downloads through commands in the guest, so that they work however it is reached.

A file goes through ``cat``, a folder through ``tar`` (GNU's and BusyBox's); both land beside their
place and are renamed into it when complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import shutil
import stat
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO, cast

from core.errors import NotFoundError
from core.guests import archive, scripts, unpacking
from core.guests.base import Ran, Transfer
from core.guests.errors import GuestFileMissingError, TransferError
from core.guests.failures import guest_failure, host_failure, only_changed
from core.guests.pipe import FromGuest, Process, Starter, ToGuest
from core.guests.quoting import as_root

_BLOCK = 256 * 1024
_MESSAGE_LIMIT = 4000


def _silent(done: int, total: int | None) -> None:
    pass


async def upload(
    guest: Starter,
    source: Path,
    target: str,
    *,
    mode: int | None = None,
    owner_root: bool = False,
    exclude: Sequence[str] = (),
    transfer: Transfer | None = None,
) -> None:
    """Copy a file or a whole folder into the guest.

    Missing parents of ``target`` are made. ``target`` ending in "/" (or an existing folder, for a
    file) means: into it, under the same name; a relative one lies in the account's home. A new file
    or folder appears complete or not at all; a folder that is there already gets the new files
    beside its own. ``mode`` sets the permissions of files (else they are kept). With ``owner_root``
    all is done, and owned, by root. ``exclude``: shell patterns against names and relative paths.
    Raises NotFoundError, TransferError, ConnectionLostError.
    """
    folder, bits, measure = await asyncio.to_thread(_inspect, source, exclude)
    name = _name(source)
    if folder:
        script = scripts.receive_folder(target, name, gzip=measure.sparse)
    else:
        bits = bits if mode is None else mode
        script = scripts.receive_file(target, name, size=measure.size, mode=bits, gzip=measure.sparse)
    sending = _Sending(source, mode, tuple(exclude), folder, measure)
    command = as_root(script) if owner_root else scripts.in_shell(script)
    await sending.run(guest, command, target, transfer or _silent)


def _name(source: Path) -> str:
    return source.name if source.name not in ("", "..") else source.resolve().name


def _inspect(source: Path, exclude: Sequence[str]) -> tuple[bool, int, archive.Measure]:
    """Whether it is a folder, its permissions, and how much there is to send."""
    try:
        status = source.stat()
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            raise TransferError(f"{source} is neither a file nor a folder.")
        return stat.S_ISDIR(status.st_mode), stat.S_IMODE(status.st_mode), archive.measure(source, exclude)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no {source} to upload.", remedy="check the path; it is one of the host"
        ) from error
    except OSError as error:
        raise host_failure(f"Could not read {source}", error) from error


class _Sending:
    """One upload, of a file or a folder."""

    def __init__(
        self, source: Path, mode: int | None, exclude: Sequence[str], folder: bool, measure: archive.Measure
    ) -> None:
        self._source = source
        self._mode = mode
        self._exclude = exclude
        self._folder = folder
        self._measure = measure
        self._done = 0

    async def run(self, guest: Starter, command: str, target: str, transfer: Transfer) -> None:
        said = bytearray()
        process = await guest.start(command, stderr=_keep(said))
        file = ToGuest(process, lambda: transfer(self._done, self._measure.size))
        feeding = asyncio.ensure_future(asyncio.to_thread(self._feed, file))
        try:
            # The guest may end first, e.g. with a full disk: what it said is then the reason.
            with contextlib.suppress(BrokenPipeError):
                await asyncio.shield(feeding)
                process.write_eof()
            ran = await process.wait()
        except OSError as error:
            raise host_failure(f"Could not read {self._source}", error) from error
        finally:
            await _finish(process, feeding)
        if ran.status != 0:
            raise guest_failure(f"Could not upload {self._source} to {target}", ran, bytes(said))
        transfer(self._measure.size, self._measure.size)

    def _advance(self, count: int) -> None:
        self._done += count

    def _feed(self, file: ToGuest) -> None:
        """In a thread."""
        if self._measure.sparse:
            # Holes cost next to nothing when compressed; contents are worth no effort.
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
                self._write(cast(IO[bytes], packed))
        else:
            self._write(cast(IO[bytes], file))

    def _write(self, file: IO[bytes]) -> None:
        if self._folder:
            archive.write(self._source, file, mode=self._mode, exclude=self._exclude, advance=self._advance)
            return
        with self._source.open("rb", buffering=0) as contents:
            while data := contents.read(_BLOCK):
                self._advance(len(data))
                file.write(data)


async def download(
    guest: Starter, source: str, target: Path, *, transfer: Transfer | None = None
) -> tuple[str, ...]:
    """Copy a file or a whole folder out of the guest.

    It is put beside ``target`` first and then renamed; an existing file is replaced, an existing
    folder means: into it, under the same name. What the guest sends is not trusted: nothing is made
    outside of ``target``. Returns the names that were left out: links that lead out of the
    downloaded folder, devices and pipes. Raises GuestFileMissingError, TransferError,
    ConnectionLostError.
    """
    kind, size = await _look(guest, source)
    target = _final(Path(source.rstrip("/")).name, kind == "dir", target)
    script = scripts.send_folder(source) if kind == "dir" else scripts.send_file(source)
    receiving = _Receiving(source, target, kind == "dir", size)
    return await receiving.run(guest, scripts.in_shell(script), transfer or _silent)


def _final(name: str, folder: bool, target: Path) -> Path:
    """Where the download is to lie in the end."""
    if target.is_dir() and name not in ("", ".", "..", "~"):
        target = target / name
    if folder and os.path.lexists(target):
        raise TransferError(
            f"{target} exists already.",
            why="A downloaded folder is not mixed with what is there.",
            remedy="remove it, or name a target that does not exist yet",
        )
    if target.is_dir():
        raise TransferError(f"{target} is a folder; a file cannot replace it.", remedy="name another target")
    return target


async def _look(guest: Starter, source: str) -> tuple[str, int | None]:
    """What ``source`` is, and its size where that is known beforehand."""
    said = bytearray()
    process = await guest.start(scripts.in_shell(scripts.describe(source)), stderr=_keep(said))
    process.write_eof()
    answer = bytearray()
    while data := await process.read():
        answer += data[:1000]
    ran = await process.wait()
    kind, _, size = bytes(answer).decode("ascii", "replace").strip().partition(" ")
    if ran.status == 0 and kind == "missing":
        raise GuestFileMissingError(
            f"There is no {source} in the guest.", remedy="check the path; it is one of the guest"
        )
    if ran.status != 0 or kind not in ("file", "dir"):
        raise guest_failure(
            f"Could not download {source}", ran, bytes(said) or b"It is neither file nor folder"
        )
    return kind, int(size) if size.isdigit() and int(size) else None


class _Receiving:
    """One download, of a file or a folder."""

    def __init__(self, source: str, target: Path, folder: bool, size: int | None) -> None:
        self._source = source
        self._target = target
        self._folder = folder
        self._size = size
        self._done = 0

    async def run(self, guest: Starter, command: str, transfer: Transfer) -> tuple[str, ...]:
        stage = self._stage()
        try:
            return await self._receive(guest, command, stage, transfer)
        finally:
            await asyncio.to_thread(shutil.rmtree, stage, ignore_errors=True)

    def _stage(self) -> Path:
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=".boxwright.", dir=self._target.parent))
        except OSError as error:
            raise host_failure(f"Could not write {self._target}", error) from error

    async def _receive(
        self, guest: Starter, command: str, stage: Path, transfer: Transfer
    ) -> tuple[str, ...]:
        said = bytearray()
        process = await guest.start(command, stderr=_keep(said))
        process.write_eof()
        file = FromGuest(process, lambda: transfer(self._done, self._size))
        item = stage / "item"
        writing = asyncio.ensure_future(asyncio.to_thread(self._take, file, item))
        try:
            left_out = await asyncio.shield(writing)
            ran = await process.wait()
        except OSError as error:
            raise host_failure(f"Could not write {self._target}", error) from error
        except TransferError as error:
            # A cut connection looks like a damaged archive: the guest's own words come first.
            ended = await _ended(process)
            if ended is not None and ended.status != 0:
                raise guest_failure(f"Could not download {self._source}", ended, bytes(said)) from error
            raise
        finally:
            await _finish(process, writing)
        if ran.status != 0 and not only_changed(ran, bytes(said)):
            raise guest_failure(f"Could not download {self._source}", ran, bytes(said))
        item.replace(self._target)
        transfer(self._done, self._done)
        return left_out

    def _take(self, file: FromGuest, item: Path) -> tuple[str, ...]:
        """In a thread."""
        if self._folder:
            item.mkdir(mode=0o700)
            left_out = unpacking.unpack(cast(IO[bytes], file), item, self._advance)
            file.drain()
            return left_out
        with item.open("xb", buffering=0) as contents:
            while data := file.read(65536):
                unpacking.write_sparse(contents, data)
                self._advance(len(data))
            contents.truncate(self._done)
        return ()

    def _advance(self, count: int) -> None:
        self._done += count


async def _ended(process: Process) -> Ran | None:
    try:
        async with asyncio.timeout(2):
            return await process.wait()
    except TimeoutError:
        return None


async def _finish(process: Process, thread: Awaitable[object]) -> None:
    """End the command if it still runs; the thread at its other end then ends as well."""
    await process.close()
    with contextlib.suppress(Exception):
        await thread


def _keep(said: bytearray) -> Callable[[bytes], None]:
    """What a command said last: the reason comes at the end."""

    def take(data: bytes) -> None:
        said.extend(data[-_MESSAGE_LIMIT:])
        del said[:-_MESSAGE_LIMIT]

    return take

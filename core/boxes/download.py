"""Downloads that go on where they were cut: after a lost connection, and after the program ended."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from core.boxes import http
from core.boxes.hashing import BLOCK
from core.boxes.http import TransientError, visible
from core.boxes.limits import Limits
from core.boxes.partial import Partial
from core.boxes.staging import NoSpace, is_full, megabytes
from core.boxes.threads import Stop, in_thread
from core.errors import BoxwrightError
from core.model.work import Work

if TYPE_CHECKING:
    import httpx

_TRIES = 5
"""Attempts in a row that bring nothing."""
_MOST_WAITING = 4 * BLOCK
"""Bytes that arrived and are not yet written, before no more are taken."""
_OVERLAP = 4096
"""Bytes that are fetched again and compared where the server names nothing to tell versions apart."""
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class _Again(Exception):
    """The next attempt may follow at once."""


class Download:
    """The archive at ``url`` on its way into the folder ``downloads``.

    ``checked`` says that a checksum will be compared afterwards, so that the way itself need not be safe.
    """

    def __init__(self, folder: Path, url: str, *, limits: Limits, checked: bool) -> None:
        self.url = url
        self.partial = Partial(folder, url)
        self._limits = limits
        self._checked = checked
        self._waiting = bytearray()

    async def run(self, work: Work) -> None:
        """Fetch what is missing. ``partial`` must be open. Raises BoxwrightError; what arrived is kept."""
        partial = self.partial
        if partial.size:
            work.note(f"going on after {megabytes(partial.size)}")
        fruitless = restarts = 0
        async with http.client() as session:
            while True:
                before = partial.size
                try:
                    await self._attempt(session, work)
                except _Again:
                    restarts += 1
                    if restarts > _TRIES:
                        raise self._gave_up("The server gives different answers each time.") from None
                except TransientError as error:
                    fruitless = 0 if self._enough(partial.size - before) else fruitless + 1
                    if fruitless >= _TRIES:
                        raise self._gave_up(error.problem.why or error.problem.what) from error
                    work.note(f"{error.problem.what} Trying again")
                    await asyncio.sleep(http.RETRY_DELAY * 2**fruitless)
                else:
                    partial.finish()
                    return

    def _enough(self, gained: int) -> bool:
        """Whether an attempt brought so much that the next ones are worth it."""
        return gained >= BLOCK or (gained > 0 and gained * 100 >= (self.partial.state.total or 0))

    def _gave_up(self, why: str) -> BoxwrightError:
        kept = f" The {megabytes(self.partial.size)} that arrived are kept." if self.partial.size else ""
        return BoxwrightError(
            f"The download of {visible(self.url)} was cut again and again.",
            why=f"{why}{kept}",
            remedy="run the same command again: it goes on where this one ended",
        )

    async def _attempt(self, session: httpx.AsyncClient, work: Work) -> None:
        """One request. Ends when the file is complete; raises TransientError or _Again when it is not."""
        partial = self.partial
        offset = partial.size
        validator = partial.state.validator
        start = offset if validator else max(0, offset - _OVERLAP)
        headers = {"Accept": "*/*"}
        if offset:
            headers["Range"] = f"bytes={start}-"
            if validator:
                headers["If-Range"] = validator
        async with http.request(session, self.url, headers) as response:
            self._check_way(response)
            if response.status_code == 416:
                self._check_complete(response, offset)
                return
            if error := http.refused(self.url, response.status_code):
                raise error
            if response.status_code == 206:
                total = self._range_total(response, start)
            else:
                start, total = 0, _length(response)
            found = _validator(response)
            if offset and (_differ(validator, found) or _differ(partial.state.total, total)):
                partial.start_again()
                raise _Again
            self._check_size(total or 0)
            partial.describe(found, total)
            await self._receive(response, start, work)
        if total is not None and partial.size != total:
            raise TransientError(
                "The connection ended early.", why=f"{partial.size} of {total} bytes arrived."
            )

    def _check_way(self, response: httpx.Response) -> None:
        """Without a checksum, an encrypted way must not become an open one."""
        ways = [each.url.scheme for each in (*response.history, response)]
        if not self._checked and "https" in ways and ways[-1] == "http":
            raise BoxwrightError(
                f"{visible(self.url)} leads to an address without encryption.",
                why="Whoever is on the way could change the box, and there is no checksum to tell.",
                remedy="give the checksum with --checksum sha256:...",
            )

    def _check_complete(self, response: httpx.Response, offset: int) -> None:
        """The server has nothing after ``offset``: either this is all, or it is another file."""
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not match or match[3] != str(offset) or _differ(self.partial.state.total, offset):
            self.partial.start_again()
            raise _Again

    def _range_total(self, response: httpx.Response, start: int) -> int | None:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not match or match[1] is None or int(match[1]) != start:
            self.partial.start_again()
            raise _Again
        return None if match[3] == "*" else int(match[3])

    def _check_size(self, size: int) -> None:
        if size > self._limits.unpacked:
            raise BoxwrightError(
                f"{visible(self.url)} is too large: {megabytes(size)} at least.",
                why=f"The limit is {megabytes(self._limits.unpacked)}.",
                remedy="export BOXWRIGHT_BOX_LIMIT=<a larger one>, e.g. 512GiB",
            )

    async def _receive(self, response: httpx.Response, position: int, work: Work) -> None:
        """Append the body, which begins at ``position``; what is there already must be the same.

        Writing goes on beside receiving: whatever arrived is written as soon as the last write ended.
        """
        partial = self.partial
        writing: asyncio.Task[None] | None = None
        try:
            async for chunk in response.aiter_raw():
                if writing is None and position < partial.size:
                    known = min(len(chunk), partial.size - position)
                    if not partial.same(position, chunk[:known]):
                        partial.start_again()
                        raise _Again
                    position += known
                    chunk = chunk[known:]
                if not chunk:
                    continue
                partial.confirm()
                self._waiting += chunk
                if writing is None or writing.done() or len(self._waiting) > _MOST_WAITING:
                    if writing:
                        await writing
                    writing = asyncio.create_task(self._write_waiting(work))
        finally:
            if writing:
                await writing
            await self._write_waiting(work)

    async def _write_waiting(self, work: Work) -> None:
        while self._waiting:
            full, self._waiting = self._waiting, bytearray()
            await self._append(full, work)

    async def _append(self, data: bytearray, work: Work) -> None:
        partial = self.partial
        self._check_size(partial.size + len(data))
        try:
            await in_thread(lambda: partial.append(data), Stop())
        except OSError as error:
            if not is_full(error):
                raise
            missing = (partial.state.total or partial.size + len(data)) - partial.size
            kept = f"The {megabytes(partial.size)} that arrived are kept."
            raise NoSpace(partial.path.parent, missing, kept=kept) from error
        work.progress(partial.size, partial.state.total, "bytes")


def _differ(old: object, new: object) -> bool:
    """Whether both are known and not the same."""
    return bool(old) and bool(new) and old != new


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _validator(response: httpx.Response) -> str:
    """Weak ETags say only that two versions are as good as each other: not enough to join halves."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return str(etag)
    return str(response.headers.get("Last-Modified", ""))

"""The worker that has VirtualBox's API, as the engine sees it: requests, answers, time limits.

It is started when it is needed, started again when it or VirtualBox's daemon dies, and ended when nobody has
asked for anything for a while, so that VirtualBox's own daemon can leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from core.errors import BoxwrightError, ProviderError
from core.providers.images import finish
from core.providers.virtualbox import host
from core.providers.virtualbox.process import Died, Process
from core.providers.virtualbox.refusals import explained

PATIENCE = 30.0
"""Seconds of silence of the worker after which VirtualBox is taken to hang."""

IDLE = 60.0
"""Seconds without a request after which the worker is ended."""

AGAIN = (0.2, 0.5, 1.0)
"""Seconds before each further attempt to reach VirtualBox."""

_GIVING_UP = 15.0
"""Seconds for VirtualBox to stop doing what has been cancelled."""

Progress = Callable[[int], object]
"""Called with the percentage of what VirtualBox is doing."""


class VirtualBoxError(ProviderError):
    """VirtualBox refused something, or cannot be talked to."""

    def __init__(self, what: str, *, kind: str = "", number: int = 0, **more: Any) -> None:
        super().__init__(what, **more)
        self.kind = kind
        """One word for programs: ``absent``, ``taken``, ``unfit``, ``state``, ``gone``, ``silent`` or ""."""
        self.number = number
        """VirtualBox's own, e.g. 0x80bb0001; 0 where it gave none."""


class Answer(msgspec.Struct, frozen=True):
    """A line of the worker's."""

    id: int = 0
    done: Any = None
    progress: int | None = None
    failed: str | None = None
    code: int = 0
    kind: str = ""
    trace: str = ""


class _Request:
    def __init__(self, progress: Progress | None) -> None:
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.progress = progress
        self.life = asyncio.Event()


class Bridge:
    """One worker, several requests at the same time."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._process: Process | None = None
        self._opening = asyncio.Lock()
        self._requests: dict[int, _Request] = {}
        self._reader: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._process is not None and not self._process.ended

    async def call(
        self, do: str, *, patience: float = PATIENCE, progress: Progress | None = None, **given: Any
    ) -> Any:
        """What the task returns. Raises VirtualBoxError. Once cancelled, VirtualBox has let go of it."""
        process = await self._open()
        number = next(self._numbers)
        request = self._requests[number] = _Request(progress)
        try:
            await process.write(msgspec.json.encode({"id": number, "do": do, "with": given}) + b"\n")
            return await self._answer(process, request, patience)
        except asyncio.CancelledError:
            await self._cancel(process, number, request)
            raise
        finally:
            self._requests.pop(number, None)
            self._rest()

    async def ask(self, do: str, **given: Any) -> Any:
        """As :meth:`call`, for what only looks: asked again where the daemon died meanwhile."""
        for pause in AGAIN:
            try:
                return await self.call(do, **given)
            except VirtualBoxError as error:
                if error.kind != "gone":
                    raise
            await asyncio.sleep(pause)
        return await self.call(do, **given)

    async def _answer(self, process: Process, request: _Request, patience: float) -> Any:
        while not request.answer.done():
            request.life.clear()
            try:
                async with asyncio.timeout(patience):
                    await request.life.wait()
            except TimeoutError:
                await self._drop(process)
                raise VirtualBoxError(
                    f"VirtualBox does not answer: it has been silent for {patience:g} s.",
                    kind="silent",
                    why="VBoxSVC, its daemon, hangs, or waits for something that does not come.",
                    remedy="end the process VBoxSVC, then try again",
                ) from None
        return request.answer.result()

    async def _cancel(self, process: Process, number: int, request: _Request) -> None:
        """Undoing what was begun comes next: VirtualBox must not be in the middle of it."""
        if request.answer.done():
            request.answer.exception()
            return

        async def settled() -> None:
            with contextlib.suppress(TimeoutError, BoxwrightError):
                async with asyncio.timeout(_GIVING_UP):
                    await process.write(msgspec.json.encode({"cancel": number}) + b"\n")
                    await asyncio.wait([request.answer])

        task = asyncio.ensure_future(settled())
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(task)
        if request.answer.done() and not request.answer.cancelled():
            request.answer.exception()

    async def _open(self) -> Process:
        if self._idle:
            self._idle.cancel()
        async with self._opening:
            if not self.connected or self._process is None:
                self._process = await started("loop")
                self._reader = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: Process) -> None:
        async for line in process.lines():
            answer = msgspec.json.decode(line, type=Answer)
            request = self._requests.get(answer.id)
            if request is None or request.answer.done():
                continue
            if answer.progress is not None:
                if request.progress:
                    request.progress(answer.progress)
            elif answer.failed is None:
                request.answer.set_result(answer.done)
            else:
                request.answer.set_exception(_error(answer))
            request.life.set()
        await process.end()
        if self._process is process:
            self._process = None
            for request in self._requests.values():
                if not request.answer.done():
                    request.answer.set_exception(_gone())
                request.life.set()

    def _rest(self) -> None:
        if not self._requests and self._process:
            loop = asyncio.get_running_loop()
            if self._idle:
                self._idle.cancel()
            self._idle = loop.call_later(IDLE, self._leave)

    def _leave(self) -> None:
        process, self._process = self._process, None
        if process:
            task = asyncio.get_running_loop().create_task(process.end())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _drop(self, process: Process) -> None:
        """Of a worker that hangs, nobody need wait for an answer any more."""
        if self._process is process:
            self._process = None
        await process.kill()

    async def close(self) -> None:
        if self._idle:
            self._idle.cancel()
        if self._process:
            await self._process.end()
        if self._reader:
            await asyncio.wait([self._reader])
        if self._leaving:
            await asyncio.wait(self._leaving)
        self._process = None


_known: list[str] = []
"""The interpreter that had ``vboxapi`` the last time."""


async def started(part: str) -> Process:
    """A worker that is connected to VirtualBox. Raises VirtualBoxError, with a remedy.

    Where several begin at the same moment, with a VirtualBox that was never used before, they disturb each
    other in writing its lists of components: what fails is tried again.
    """
    for pause in AGAIN:
        try:
            return await _started(part)
        except VirtualBoxError as error:
            if error.kind != "gone":
                raise
        await asyncio.sleep(pause)
    return await _started(part)


async def _started(part: str) -> Process:
    missing = ""
    candidates = host.interpreters()
    for interpreter in sorted(candidates, key=lambda path: path not in _known):
        process = await Process.start(host.worker(interpreter, part))
        try:
            said = await process.first_line(PATIENCE)
        except Died as death:
            said = {"unusable": str(death)}
        except asyncio.CancelledError:
            # Killed while it connects, it would leave VirtualBox's daemon waiting for it: others then stall.
            await finish(process.end())
            raise
        if "ready" in said:
            _known[:] = [interpreter]
            return process
        await process.kill()
        missing = missing or said.get("missing", "")
        if "missing" not in said:
            raise VirtualBoxError(
                "VirtualBox cannot be reached.",
                kind="gone",
                why=said.get("unusable") or said.get("gone", ""),
                remedy="boxwright doctor, to see how VirtualBox is; then try again",
            )
    raise _without_api(candidates, missing)


def _without_api(tried: list[str], missing: str) -> ProviderError:
    return VirtualBoxError(
        "No Python was found that can talk to VirtualBox.",
        kind="missing",
        why=f"{missing} ({', '.join(tried)})",
        remedy="install VirtualBox's binding for the system's Python (Debian's package virtualbox has it; "
        "with Oracle's: python3 vboxapisetup.py install in VirtualBox's folder sdk/installer/python), "
        f"or name the Python that has it in {host.PYTHON_VARIABLE}",
    )


def _error(answer: Answer) -> VirtualBoxError:
    if answer.kind == "gone":
        return _gone()
    text = " ".join((answer.failed or "").split())
    tail = tuple(answer.trace.splitlines()[-5:])
    if not answer.code:
        return VirtualBoxError(text, kind=answer.kind, tail=tail)
    why, remedy = explained(answer.code, text)
    return VirtualBoxError(
        "VirtualBox refused it.", kind=answer.kind, number=answer.code, why=why, remedy=remedy, tail=tail
    )


def _gone() -> VirtualBoxError:
    return VirtualBoxError(
        "VirtualBox's daemon VBoxSVC ended in the middle.",
        kind="gone",
        why="Somebody ended it, or it crashed; it is started again by itself.",
        remedy="try again",
    )

"""One client of the engine's socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Coroutine
from typing import Any

import msgspec

import core
from core.engine.engine import Engine
from core.engine.problems import is_bug, problem_of, report_bug
from core.engine.protocol import (
    MOST_REQUEST,
    PROTOCOL,
    Answer,
    Ask,
    Cancel,
    Failed,
    First,
    FrameError,
    Goodbye,
    Hello,
    News,
    OpenSerial,
    ReadStats,
    Refresh,
    Reply,
    Request,
    Stop,
    Submit,
    Subscribe,
    Welcome,
    check_length,
    pack,
    raw,
)
from core.engine.relay import relay
from core.errors import UsageError
from core.model.command import Command
from core.model.event import Snapshot
from core.model.machine import MachineKey
from core.model.problem import Problem
from core.model.query import GetSerial, Query

HELLO_LIMIT = 10.0
"""Seconds in which a client has to say who it is."""

BUFFER = 256 * 1024
"""Bytes that wait for a client before the engine stops sending (and merges events instead)."""

_request: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_command = msgspec.msgpack.Decoder(Command)
_query = msgspec.msgpack.Decoder(Query)

_log = logging.getLogger(__name__)


class Connection:
    """Reads requests one after the other; what takes long goes on beside."""

    def __init__(self, engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._raw = False
        writer.transport.set_write_buffer_limits(high=BUFFER)

    async def serve(self) -> None:
        """Until the client goes, or sends something that is no message of ours."""
        self._engine.client_came()
        try:
            async with asyncio.timeout(HELLO_LIMIT):
                await self._greet()
            while not self._raw:
                request = await self._receive()
                if request is None:
                    return
                await self._handle(request)
        except (FrameError, msgspec.DecodeError) as error:
            await self._refuse(f"The message cannot be understood: {error}")
        except TimeoutError:
            await self._refuse(f"No greeting came within {HELLO_LIMIT:.0f} s.")
        except ConnectionError:
            pass
        finally:
            self._engine.client_left()
            for task in self._tasks:
                task.cancel()
            self._writer.close()

    async def farewell(self, why: str) -> None:
        """The engine ends: say so, and close."""
        if not self._raw:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._send(Goodbye(why))
        self._writer.close()

    async def _greet(self) -> None:
        hello = await self._receive()
        if not isinstance(hello, Hello):
            raise FrameError("it does not begin with a greeting")
        await self._send(Welcome(PROTOCOL, core.__version__, os.getpid(), self._engine.busy))

    async def _receive(self) -> Request | None:
        try:
            header = await self._reader.readexactly(4)
            body = await self._reader.readexactly(check_length(header, MOST_REQUEST))
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise FrameError("it ends in the middle") from None
            return None
        return _request.decode(body)

    async def _send(self, message: Answer) -> None:
        async with self._sending:
            self._writer.write(pack(message))
            await self._writer.drain()

    async def _refuse(self, why: str) -> None:
        _log.warning("a client was cut off: %s", why)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await self._send(Failed(0, Problem(what="The engine closed the connection.", why=why)))

    # Requests.

    async def _handle(self, request: Request) -> None:
        match request:
            case Subscribe(id=number, since=since):
                self._beside(number, self._pump(number, since))
            case ReadStats(id=number, project=project, name=name):
                self._beside(number, self._stats(number, MachineKey(project, name)))
            case Stop(id=number, force=force, wait=wait):
                self._beside(number, self._end(number, force, wait))
            case OpenSerial(id=number, project=project, name=name):
                await self._guarded(number, self._serial(number, MachineKey(project, name)))
            case Ask(id=number):
                await self._guarded(number, self._ask(request))
            case Hello():
                raise FrameError("a second greeting")
            case _:
                await self._guarded(request.id, self._at_once(request))

    async def _ask(self, request: Ask) -> None:
        self._need_engine()
        query = _decoded(_query, request.query, "query")
        if isinstance(query, GetSerial):
            # A hypervisor may be slow, and others' questions do not wait for it.
            self._beside(request.id, self._answer(request.id, query))
        else:
            await self._send(Reply(request.id, raw(self._engine.query(query))))

    async def _answer(self, number: int, query: GetSerial) -> None:
        await self._send(Reply(number, raw(await self._engine.answer(query))))

    def _need_engine(self) -> None:
        if self._engine.has_stopped:
            raise ConnectionResetError  # A moment later the server would have taken leave.

    async def _at_once(self, request: Submit | Cancel | Refresh) -> None:
        self._need_engine()
        result: Any = None
        match request:
            case Submit(command=command):
                result = self._engine.submit(_decoded(_command, command, "command"))
            case Cancel(operation=operation):
                self._engine.cancel(operation)
            case Refresh(project=project):
                self._engine.refresh(project)
        await self._send(Reply(request.id, raw(result)))

    async def _stats(self, number: int, machine: MachineKey) -> None:
        await self._send(Reply(number, raw(await self._engine.stats(machine))))

    async def _end(self, number: int, force: bool, wait: bool) -> None:
        await self._engine.stop(force=force, wait=wait)
        await self._send(Reply(number, raw(None)))

    async def _pump(self, number: int, since: int) -> None:
        subscription = self._engine.subscribe(since)
        try:
            while True:
                batch = await subscription.batch()
                if batch is None:
                    return
                if isinstance(batch, Snapshot):
                    await self._send(First(number, raw(batch)))
                else:
                    await self._send(News(number, raw(batch)))
        finally:
            subscription.close()

    async def _serial(self, number: int, machine: MachineKey) -> None:
        console = await self._engine.serial(machine)
        try:
            await self._send(Reply(number, raw(None)))
            self._raw = True
            await relay(console, self._reader, self._writer)
        finally:
            await console.close()

    def _beside(self, number: int, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(number, coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, number: int, coroutine: Awaitable[None]) -> None:
        """Errors go to the client; the engine goes on."""
        try:
            await coroutine
        except ConnectionError:
            self._writer.close()
        except Exception as error:
            if is_bug(error):
                problem = report_bug(self._engine.locations.reports, error, "a client's request")
            else:
                problem = problem_of(error)
            with contextlib.suppress(ConnectionError):
                if self._raw:
                    self._writer.close()
                else:
                    await self._send(Failed(number, problem))


def _decoded(decoder: msgspec.msgpack.Decoder[Any], data: msgspec.Raw, what: str) -> Any:
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        raise UsageError(f"The {what} cannot be understood.", why=str(error)) from None

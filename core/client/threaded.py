"""An engine in a thread of this process, driven by blocking calls: ``--in-process`` on the command line."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import core
from core.client.channel import EngineGoneError
from core.client.following import LogText, follow
from core.engine.engine import Engine
from core.engine.relay import relay
from core.model.event import Event, Snapshot
from core.model.machine import MachineKey, Stats
from core.model.operation import Operation, Step
from core.providers.base import Console

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from core.model.command import Command
    from core.model.query import Answer, Query

Result = TypeVar("Result")


class ThreadedClient:
    """The same calls as :class:`core.client.blocking.BlockingClient`. Closing it ends the engine; what
    still runs is cancelled, which undoes it."""

    def __init__(self, engine: Engine) -> None:
        """Starts the engine. Raises BusyError where another one works on the same data."""
        self.where = engine.locations
        self.version = core.__version__
        self._engine = engine
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()
        self._closed = False
        try:
            self._wait(engine.start())
        except BaseException:
            self._end_thread()
            raise
        self._call(engine.client_came)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, command: Command) -> str:
        return self._call(self._engine.submit, command)

    def cancel(self, operation: str) -> None:
        self._call(self._engine.cancel, operation)

    def query(self, query: Query) -> Answer:
        return self._wait(self._engine.answer(query))

    def refresh(self, project: str = "") -> None:
        self._call(self._engine.refresh, project)

    def stats(self, machine: MachineKey) -> Stats:
        return self._wait(self._engine.stats(machine))

    def stop(self, *, force: bool = False, wait: bool = False) -> None:
        self._wait(self._engine.stop(force=force, wait=wait))

    def events(self, since: int = 0, timeout: float | None = None) -> Iterator[Snapshot | Event | None]:
        subscription = self._call(self._engine.subscribe, since)
        pending: Any = None
        try:
            while True:
                if pending is None:
                    pending = asyncio.run_coroutine_threadsafe(subscription.batch(), self._loop)
                try:
                    batch = pending.result(timeout)
                except TimeoutError:
                    yield None
                    continue
                pending = None
                if batch is None:
                    raise EngineGoneError("It was stopped.")
                if isinstance(batch, Snapshot):
                    yield batch
                else:
                    yield from batch
        finally:
            if pending is not None:
                pending.cancel()
            if not self._closed:
                self._call(subscription.close)

    def follow(
        self, operation: str, timeout: float | None = None
    ) -> Iterator[Operation | Step | LogText | None]:
        """See ``core.client.following.follow``."""
        return follow(self, operation, timeout)

    def serial(self, machine: MachineKey) -> tuple[socket.socket, bytes]:
        """A socket with the bare bytes of the console, both ways. Close it to leave."""
        return self._wait(self._serial(machine)), b""

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._call(self._engine.client_left)
            self._wait(self._engine.stop(force=True))
        finally:
            self._end_thread()

    async def _serial(self, machine: MachineKey) -> socket.socket:
        console = await self._engine.serial(machine)
        ours, its = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=its)
        self._relaying = asyncio.create_task(_relay(console, reader, writer))
        return ours

    def _call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        async def call() -> Result:
            return function(*arguments)

        return self._wait(call())

    def _wait(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _relay(console: Console, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            await relay(console, reader, writer)
    finally:
        writer.close()
        await console.close()

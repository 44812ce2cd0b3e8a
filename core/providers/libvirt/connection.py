"""A connection to one libvirt: opened when it is needed, opened again when it breaks, its events pushed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from typing import Any, TypeVar

from core.providers.libvirt import troubles
from core.providers.libvirt.library import LibvirtError, NoAnswer, bindings, call

T = TypeVar("T")

KEEPALIVE = (5, 3)
"""Seconds between signs of life when it is quiet, and how many may stay unanswered: a daemon that hangs is
given up after 20 seconds, and with it every call that waits for it."""

RETRIES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to reach a daemon that has gone, the last one again and again."""

LOCK_PATIENCE = 90.0
"""Seconds for a domain whose lock is held, when something has to end or to be undone."""

Event = Callable[[str, int, int], None]
"""Called with a domain's UUID, the kind of the event and its detail (``VIR_DOMAIN_EVENT_...``)."""


class Connection:
    """``on_event``: something happened to a domain; ``on_return``: the daemon is back after an absence."""

    def __init__(self, uri: str, on_event: Event, on_return: Callable[[], None]) -> None:
        self.uri = uri
        self._on_event = on_event
        self._on_return = on_return
        self._handle: Any = None
        self._opening = asyncio.Lock()
        self._returning: asyncio.Task[None] | None = None
        self._closed = False
        self._facts: dict[str, Any] = {}

    async def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = 0) -> T:
        """Call ``function`` with the connection's handle (``virConnect``) and the arguments, in a thread."""
        handle = await self._open()
        try:
            return await call(function, handle, *arguments, timeout=timeout)
        except NoAnswer:
            # Whoever comes next need not wait on the same dead line.
            self._handle = None
            raise
        except LibvirtError as error:
            if handle.isAlive():
                raise
            raise LibvirtError(
                "The connection to libvirt broke.",
                number=error.number,
                why=f"The daemon ended, or does not answer any more ({error.problem.why}).",
                remedy="boxwright doctor, to see how libvirt is; then try again",
            ) from error

    async def insist(self, function: Callable[..., T], *arguments: Any) -> T:
        """For ending and undoing: :meth:`run`, again where libvirt holds the domain's lock, for as long as
        ``LOCK_PATIENCE``.

        A daemon that comes back holds it while it looks at the guests that it left; each call of libvirt's
        waits half a minute for it by itself."""
        until = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                return await self.run(function, *arguments, timeout=LOCK_PATIENCE)
            except LibvirtError as error:
                if error.number != bindings().VIR_ERR_OPERATION_TIMEOUT or time.monotonic() > until:
                    raise

    async def remembered(self, name: str, function: Callable[[Any], T]) -> T:
        """What never changes while the daemon lives: asked for once."""
        if name not in self._facts:
            self._facts[name] = await self.run(function)
        found: T = self._facts[name]
        return found

    async def handle(self) -> Any:
        """For streams; see :meth:`run` for everything else."""
        return await self._open()

    async def wait_for_daemon(self, patience: float) -> None:
        """Raise LibvirtError where the daemon does not come back within ``patience`` seconds."""
        for pause in itertools.chain(RETRIES, itertools.repeat(RETRIES[-1])):
            try:
                await self._open()
                return
            except LibvirtError:
                patience -= pause
                if patience < 0:
                    raise
            await asyncio.sleep(pause)

    async def _open(self) -> Any:
        async with self._opening:
            if self._handle is not None and self._handle.isAlive():
                return self._handle
            self._facts.clear()
            self._handle = None
            self._handle = await reached(self.uri)
            loop = asyncio.get_running_loop()
            await call(_listen, self._handle, _relayed(loop, self._happened), _relayed(loop, self._lost))
            return self._handle

    def _happened(self, uuid: str, event: int, detail: int) -> None:
        if not self._closed:
            self._on_event(uuid, event, detail)

    def _lost(self) -> None:
        """The connection broke: try to have it back, as nothing is pushed without it."""
        if self._closed or (self._returning and not self._returning.done()):
            return
        self._returning = asyncio.create_task(self._return(), name=f"reconnect {self.uri}")

    async def _return(self) -> None:
        for pause in itertools.chain(RETRIES, itertools.repeat(RETRIES[-1])):
            await asyncio.sleep(pause)
            if await self._is_back():
                return

    async def _is_back(self) -> bool:
        try:
            await self._open()
        except LibvirtError:
            return False
        self._on_return()
        return True

    async def close(self) -> None:
        self._closed = True
        if self._returning:
            self._returning.cancel()
            await asyncio.wait([self._returning])
        async with self._opening:
            handle, self._handle = self._handle, None
            if handle is not None:
                with contextlib.suppress(LibvirtError):
                    await call(_close, handle)


def _relayed(loop: asyncio.AbstractEventLoop, function: Callable[..., None]) -> Callable[..., None]:
    """``function``, to be called from the library's thread; nothing once the loop has ended."""

    def relay(*arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(function, *arguments)

    return relay


async def reached(uri: str) -> Any:
    """A new handle; raises LibvirtError with what mends it."""
    try:
        return await call(_open, uri)
    except LibvirtError as error:
        raise troubles.unreachable(uri, error) from error


def _open(uri: str) -> Any:
    # No credentials are asked for: there is no terminal to ask at.
    return bindings().openAuth(uri, [[], lambda *_: -1, None], 0)


def _listen(handle: Any, happened: Callable[..., None], lost: Callable[[], None]) -> None:
    libvirt = bindings()
    with contextlib.suppress(libvirt.libvirtError):
        handle.setKeepAlive(*KEEPALIVE)

    def lifecycle(_handle: Any, domain: Any, event: int, detail: int, _opaque: Any) -> None:
        happened(domain.UUIDString(), event, detail)

    handle.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
    handle.registerCloseCallback(lambda _handle, _reason, _opaque: lost(), None)


def _close(handle: Any) -> None:
    libvirt = bindings()
    with contextlib.suppress(libvirt.libvirtError):
        handle.unregisterCloseCallback()
    handle.close()

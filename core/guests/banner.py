"""Looking for an SSH server: connections that are opened again and again until one shows a banner.

A forwarded port is accepted by the hypervisor long before anything listens in the guest. What then
happens tells how far the guest is: while it has no network, connections hang (the guest never hears
of most of them, so newer ones have to be tried beside them); once its network is up, they are closed
at once; when the SSH server is there, it sends its banner. From the first closed one on, connections
are given time, as a slow guest pays dearly for each login that is begun and dropped. A guest that is not
there after half a minute is slow, too: :func:`haste` sees to it that its server is not kept busy by us alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket

import msgspec

from core.model.machine import Endpoint

_SCOUT_INTERVAL = 0.15
_SCOUT_PATIENCE = 0.9
_EAGER = 30.0
_SELDOM_INTERVAL = 5.0
_SELDOM_PATIENCE = 30.0
_CLOSED_INTERVAL = 0.06
_PATIENCE = 12.0
_BACKUP_INTERVAL = 1.0
_AT_ONCE = 8
_PATIENT = "patient"
_PEEK = 512
_PREAMBLE_LIMIT = 4096


class Outcome(enum.Enum):
    """What became of one connection."""

    BANNER = "an SSH server answered"
    REFUSED = "nothing listens on the port"
    CLOSED = "the connection was closed at once: no SSH server listens in the guest yet"
    HUNG = "the connection was accepted, but nothing was said: the guest's network is not up, or it is busy"
    GARBAGE = "something that is not an SSH server answered"


class Look(msgspec.Struct, frozen=True):
    """One attempt. ``sock`` is set for a banner, which is still unread in it."""

    outcome: Outcome
    said: bytes = b""
    sock: socket.socket | None = None


def haste(waited: float) -> tuple[float, float]:
    """After how many seconds the next attempt is begun while the guest is silent, and how many each may take,
    when the guest has been waited for so long. The longer it takes to come, the slower it is to answer."""
    late = max(0.0, waited - _EAGER)
    interval = min(_SELDOM_INTERVAL, max(_SCOUT_INTERVAL, late / 30))
    return interval, min(_SELDOM_PATIENCE, max(_SCOUT_PATIENCE, late / 5))


class Lookout:
    """Keeps attempts going; ``banner`` returns the first good socket."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.last: Look | None = None
        """The last attempt that failed: how far the guest is."""
        self.port_open = asyncio.Event()
        self.attempts = 0

    async def banner(self) -> tuple[socket.socket, bytes]:
        """A connected socket whose banner has arrived (unread), and the banner. Tries for ever."""
        loop = asyncio.get_running_loop()
        running: set[asyncio.Task[Look]] = set()
        began = next_at = loop.time()
        heard = False
        try:
            while True:
                interval, patience = haste(loop.time() - began)
                if loop.time() >= next_at and len(running) < _AT_ONCE:
                    running.add(self._begin(running, heard, patience))
                    # Of a guest that answers slowly, ever more seldom.
                    backup = _BACKUP_INTERVAL * 2 ** (len(running) - 1)
                    next_at = loop.time() + (backup if heard else interval)
                pause = max(0.005, next_at - loop.time())
                if not running:
                    await asyncio.sleep(pause)
                    continue
                done, running = await asyncio.wait(
                    running, timeout=pause, return_when=asyncio.FIRST_COMPLETED
                )
                found = self._judge(done)
                if found is not None:
                    return found
                if done and self.last is not None:
                    heard = self._from_guest(self.last.outcome)
                    if self.last.outcome is not Outcome.HUNG:
                        next_at = min(next_at, loop.time() + _CLOSED_INTERVAL)
        finally:
            await _dismiss(running)

    def _from_guest(self, outcome: Outcome) -> bool:
        """Whether the guest itself had its say: on loopback only the hypervisor can refuse."""
        if outcome is Outcome.REFUSED:
            return not self._endpoint.host.startswith(("127.", "localhost", "::1"))
        return outcome is not Outcome.HUNG

    def _begin(self, running: set[asyncio.Task[Look]], heard: bool, patience: float) -> asyncio.Task[Look]:
        """Among those that run at once one is patient, as the guest may be there and slow."""
        patient = heard or not any(task.get_name() == _PATIENT for task in running)
        attempt = self._attempt(max(_PATIENCE, patience) if patient else patience)
        return asyncio.create_task(attempt, name=_PATIENT if patient else None)

    def _judge(self, done: set[asyncio.Task[Look]]) -> tuple[socket.socket, bytes] | None:
        found: tuple[socket.socket, bytes] | None = None
        for task in done:
            look = task.result()
            if look.sock is None:
                self.last = look
            elif found is None:
                found = (look.sock, look.said)
            else:
                look.sock.close()
        return found

    async def _attempt(self, patience: float) -> Look:
        self.attempts += 1
        sock: socket.socket | None = None
        try:
            async with asyncio.timeout(patience):
                sock = await _open(self._endpoint)
                self.port_open.set()
                look = await _listen(sock)
        except TimeoutError:
            look = Look(Outcome.HUNG)
        except ConnectionRefusedError:
            look = Look(Outcome.REFUSED)
        except OSError as error:
            look = Look(Outcome.CLOSED if sock else Outcome.REFUSED, str(error).encode())
        except asyncio.CancelledError:
            if sock is not None:
                sock.close()
            raise
        if sock is not None and look.sock is None:
            sock.close()
        return look


async def _open(endpoint: Endpoint) -> socket.socket:
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, address = (
        await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    )[0]
    sock = socket.socket(family, kind, protocol)
    sock.setblocking(False)
    try:
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _listen(sock: socket.socket) -> Look:
    """Wait until a banner is there, and leave it there for the SSH library to read."""
    preamble = b""
    while True:
        await _readable(sock)
        said = sock.recv(_PEEK, socket.MSG_PEEK)
        if not said:
            return Look(Outcome.GARBAGE if preamble else Outcome.CLOSED, preamble)
        if said.startswith(b"SSH-"):
            if b"\n" in said or len(said) >= 255:
                return Look(Outcome.BANNER, said.split(b"\n")[0].rstrip(b"\r"), sock)
        elif b"\n" in said or len(said) >= _PEEK or not b"SSH-".startswith(said[:4]):
            # Lines before the banner are allowed: they are read and forgotten.
            line = said[: said.find(b"\n") + 1] or said
            preamble += sock.recv(len(line))
            if len(preamble) > _PREAMBLE_LIMIT:
                return Look(Outcome.GARBAGE, preamble)
            continue
        # Half a line: it stays readable, so waiting for that would not wait.
        await asyncio.sleep(0.02)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(sock, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)


async def _dismiss(running: set[asyncio.Task[Look]]) -> None:
    for task in running:
        task.cancel()
    for task in running:
        with contextlib.suppress(asyncio.CancelledError):
            look = await task
            if look.sock is not None:
                look.sock.close()

"""Connections to a daemon, as streams of bytes on the event loop, whichever way they go.

Docker's own SDK blocks the thread that calls it, and its calls cannot be given up: everything that talks to
a daemon goes over these streams instead, which hold back the daemon while nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from weakref import WeakKeyDictionary

from core.providers.docker.address import Address, tls_files
from core.providers.docker.relay import relayed

LIMIT = 256 * 1024
CONNECT_SECONDS = 10.0

Streams = tuple[StreamReader, StreamWriter]


class Unreachable(OSError):
    """There is no way to the daemon; the text says why."""


async def dial(address: Address) -> Streams:
    """A new connection; raises OSError (``Unreachable`` where the reason is known only here)."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            match address.scheme:
                case "unix":
                    return await asyncio.open_unix_connection(address.socket, limit=LIMIT)
                case "ssh":
                    return await _over_ssh(address)
                case _:
                    return await _over_tcp(address)
    except TimeoutError as error:
        raise Unreachable(f"{address.url} does not answer within {CONNECT_SECONDS:g} s.") from error
    except ssl.SSLError as error:
        raise Unreachable(f"TLS with {address.url} failed: {error.reason or error}.") from error


async def _over_tcp(address: Address) -> Streams:
    if not address.certificates and address.scheme != "https":
        return await asyncio.open_connection(address.host, address.port, limit=LIMIT)
    context = _tls(address) if address.certificates else ssl.create_default_context()
    return await relayed(address.host, address.port, context, limit=LIMIT)


def _tls(address: Address) -> ssl.SSLContext:
    authority, certificate, key = tls_files(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if address.verify:
        context.load_verify_locations(authority)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(certificate, key)
    return context


async def _over_ssh(address: Address) -> Streams:
    """Through ``ssh``, which runs Docker's own relay there; one socket is its input and output."""
    ours, theirs = socket.socketpair()
    both = theirs.fileno()
    try:
        with theirs:
            process = await asyncio.create_subprocess_exec(
                "ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", *address.ssh_target,
                "docker", "system", "dial-stdio",
                stdin=both, stdout=both, stderr=asyncio.subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
    except FileNotFoundError as error:
        ours.close()
        raise Unreachable("ssh is not installed.") from error
    reader, writer = await asyncio.open_connection(sock=ours, limit=LIMIT)
    task = asyncio.create_task(_reaped(process))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    _CARRIERS[reader] = task
    return reader, writer


_RUNNING: set[asyncio.Task[str]] = set()

_CARRIERS: WeakKeyDictionary[StreamReader, asyncio.Task[str]] = WeakKeyDictionary()
"""Programs that carry a connection, or did, by that."""


async def explained(reader: StreamReader, error: OSError) -> OSError:
    """Why a connection broke: where a program carried it, what that complained about."""
    task = _CARRIERS.get(reader)
    if task is not None:
        await asyncio.wait([task], timeout=1.0)
        if task.done() and not task.cancelled() and task.result():
            return Unreachable(task.result())
    return error


async def _reaped(process: asyncio.subprocess.Process) -> str:
    """Waits for ``ssh``; what it complained about, "" where it ended well."""
    assert process.stderr is not None
    try:
        said = (await process.stderr.read()).decode(errors="replace").strip()
        status = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if not status:
        return ""
    return said.splitlines()[-1] if said else f"ssh ended with {status}."


async def hang_up(writer: StreamWriter) -> None:
    """Returns when the connection is closed."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()

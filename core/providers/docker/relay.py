"""TLS connections of which one half can be closed.

The end of a command's input is said by closing our half of its connection; asyncio's own TLS can only close
both. So a thread carries the bytes between TLS and a socket pair, whose other end is an ordinary stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import threading

_BLOCK = 65536


async def relayed(
    host: str, port: int, context: ssl.SSLContext, *, limit: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to ``host``, encrypted; raises OSError."""
    outside = await asyncio.to_thread(_connected, host, port, context)
    ours, theirs = socket.socketpair()
    threading.Thread(target=_carry, args=(theirs, outside), name=f"tls {host}:{port}", daemon=True).start()
    return await asyncio.open_connection(sock=ours, limit=limit)


def _connected(host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=8)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _carry(inside: socket.socket, outside: ssl.SSLSocket) -> None:
    """Until both directions have ended, or one side breaks."""
    outside.settimeout(None)
    sending = True
    with inside, outside, contextlib.suppress(OSError, ValueError):
        while True:
            if not outside.pending():
                ready, _, _ = select.select([outside, inside] if sending else [outside], [], [])
                if inside in ready:
                    data = inside.recv(_BLOCK)
                    if data:
                        outside.sendall(data)
                    else:
                        sending = False
                        _say_end(outside)
                if outside not in ready:
                    continue
            data = outside.recv(_BLOCK)
            if not data:
                return
            inside.sendall(data)


def _say_end(outside: ssl.SSLSocket) -> None:
    """Our half ends: TLS's own sign for it, without waiting for the other half's."""
    outside.setblocking(False)
    with contextlib.suppress(OSError):
        outside.unwrap()
    outside.setblocking(True)

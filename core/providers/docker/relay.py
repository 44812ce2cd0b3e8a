"""TLS connections of which one half can be closed.

The end of a command's input is said by closing our half of its connection; asyncio's own TLS can only close
both. So TLS is spoken here, between a plain connection to the daemon and a pair of sockets, whose other end
is an ordinary stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from asyncio import StreamReader, StreamWriter

_BLOCK = 65536


async def relayed(
    host: str, port: int, context: ssl.SSLContext, *, limit: int
) -> tuple[StreamReader, StreamWriter]:
    """A connection to ``host``, encrypted; raises OSError."""
    reader, writer = await asyncio.open_connection(host, port, limit=limit)
    relay = _Relay(context, host, reader, writer)
    try:
        await relay.shake_hands()
    except BaseException:
        writer.close()
        raise
    ours, theirs = socket.socketpair()
    task = asyncio.create_task(relay.carry(*await asyncio.open_connection(sock=theirs, limit=limit)))
    _CARRYING.add(task)
    task.add_done_callback(_CARRYING.discard)
    return await asyncio.open_connection(sock=ours, limit=limit)


_CARRYING: set[asyncio.Task[None]] = set()


class _Relay:
    """``reader`` and ``writer``: the encrypted side."""

    def __init__(
        self, context: ssl.SSLContext, host: str, reader: StreamReader, writer: StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._read: list[bytes] = []
        """Decrypted, and not passed on yet."""

    async def shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._receive()
            else:
                await self._flush()
                return

    async def _flush(self) -> None:
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
        await self._writer.drain()

    async def _receive(self) -> None:
        data = await self._reader.read(_BLOCK)
        if not data:
            raise ConnectionResetError("the other side closed the connection")
        self._incoming.write(data)

    async def carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Until the daemon has ended, or one side breaks."""
        sending = asyncio.create_task(self._out(reader))
        try:
            with contextlib.suppress(OSError):
                await self._in(writer)
        finally:
            sending.cancel()
            writer.close()
            self._writer.close()

    async def _out(self, reader: StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_BLOCK):
                self._tls.write(data)
                await self._flush()
            self._decrypt()
            # TLS's own sign for the end of our half; it says that it would like to read the other's.
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            await self._flush()

    async def _in(self, writer: StreamWriter) -> None:
        while True:
            open_ = self._decrypt()
            while self._read:
                writer.write(self._read.pop(0))
                await writer.drain()
            if not open_:
                return
            await self._receive()

    def _decrypt(self) -> bool:
        """All that has come; whether more may."""
        try:
            while data := self._tls.read(_BLOCK):
                self._read.append(data)
        except ssl.SSLWantReadError:
            return True
        except ssl.SSLZeroReturnError:
            return False
        return False

"""The engine's Unix socket: private to its user, one connection per client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from pathlib import Path

from core.engine.connection import Connection
from core.engine.engine import Engine
from core.engine.peer import peer_uid
from core.engine.protocol import Failed, pack
from core.model.problem import Problem

_log = logging.getLogger(__name__)


class Server:
    """Serves a started engine at ``Locations.socket``. The engine's lock must be held: whatever lies at
    that path belongs to an engine that is no more.

    ``uid``: the only user that is let in.
    """

    def __init__(self, engine: Engine, *, uid: int | None = None) -> None:
        self._engine = engine
        self._uid = os.getuid() if uid is None else uid
        self._path = engine.locations.socket
        self._listener: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Task[None]] = {}

    async def start(self) -> None:
        await self._listen()
        self._engine.before_end.append(self._shut)

    async def keep(self) -> None:
        """Listen again where the socket was removed: programs that tidy up temporary folders do that."""
        if self._listener is not None and not self._path.is_socket():
            _log.warning("the socket was removed; it is made again")
            self._listener.close()
            await asyncio.to_thread(self._engine.locations.prepare)
            await self._listen()

    async def _listen(self) -> None:
        listener = await asyncio.to_thread(_bind, self._path)
        self._listener = await asyncio.start_unix_server(self._accept, sock=listener)

    async def close(self, why: str) -> None:
        """Take no more clients, say goodbye to those who are there."""
        self._shut()
        await asyncio.gather(*(connection.farewell(why) for connection in list(self._connections)))
        tasks = list(self._connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _shut(self) -> None:
        """Before the lock is let go, so that the path can only be ours."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        if uid != self._uid:
            _log.warning("user %d was refused", uid)
            problem = Problem(what="This engine belongs to another user.", why=f"You are user {uid}.")
            writer.write(pack(Failed(0, problem)))
            writer.close()
            return
        connection = Connection(self._engine, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.serve()
        except asyncio.CancelledError:
            pass
        except Exception:
            _log.exception("a client's connection")
        finally:
            del self._connections[connection]


def _bind(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(64)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener

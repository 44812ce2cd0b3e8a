"""A connection to the engine's socket over which whole messages go; plain and blocking."""

from __future__ import annotations

import socket
import time

import msgspec

from core.engine.protocol import LENGTH, MOST_ANSWER, Answer, Failed, FrameError, Request, check_length, pack
from core.errors import BoxwrightError, RemoteError

_CHUNK = 256 * 1024

_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


class EngineGoneError(BoxwrightError):
    """The engine ended, or cut the connection."""

    def __init__(self, why: str = "") -> None:
        super().__init__("The engine has gone.", why=why, remedy="boxwright engine log")


class Channel:
    """Sends and receives messages. Raises EngineGoneError where the other side is no more."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._buffer = bytearray()

    def send(self, message: Request) -> None:
        try:
            self.socket.settimeout(None)
            self.socket.sendall(pack(message))
        except OSError as error:
            raise EngineGoneError(str(error)) from None

    def receive(self, timeout: float | None = None) -> Answer | None:
        """The next message; None when ``timeout`` seconds pass without one. What is wrong with the
        connection as a whole is raised as RemoteError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while (body := self._take()) is None:
                if not self._fill(deadline):
                    return None
            message = _answer.decode(body)
        except (FrameError, msgspec.DecodeError) as error:
            raise EngineGoneError(f"What it said cannot be understood: {error}") from None
        if isinstance(message, Failed) and not message.id:
            raise RemoteError(message.problem)
        return message

    def left(self) -> bytes:
        """What was received behind the last message; for a connection that goes on with bare bytes."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def close(self) -> None:
        self.socket.close()

    def _take(self) -> bytes | None:
        if len(self._buffer) < LENGTH.size:
            return None
        end = LENGTH.size + check_length(bytes(self._buffer[: LENGTH.size]), MOST_ANSWER)
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return body

    def _fill(self, deadline: float | None) -> bool:
        """Receive more; False when the time is up."""
        left = None
        if deadline is not None:
            # Zero would mean not to wait at all, and then there is no telling "nothing" from "not now".
            left = max(deadline - time.monotonic(), 0.0001)
        try:
            self.socket.settimeout(left)
            data = self.socket.recv(_CHUNK)
        except TimeoutError:
            return False
        except OSError as error:
            raise EngineGoneError(str(error)) from None
        if not data:
            raise EngineGoneError
        self._buffer += data
        return True

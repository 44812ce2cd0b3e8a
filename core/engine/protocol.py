"""What goes over the engine's socket.

Every message is a frame: four bytes of length (big endian), then that many bytes of MessagePack, a map with
the kind of message under ``t``. A client begins with ``Hello``; the engine answers ``Welcome``. From then
on each request has an ``id`` (of the client's choice) that its answers carry: one ``Reply`` or ``Failed``;
for ``Subscribe`` ``First`` and ``News``, as often as there are any. After the ``Reply`` to ``OpenSerial`` the
connection carries the bare bytes of the console, both ways, until one side closes it. ``Goodbye`` says
that the engine ends.

``Hello``, ``Welcome``, ``Stop`` and the framing stay as they are in all versions: with them any client can
replace any engine. Commands, queries and answers are nested as raw MessagePack, so that a client decodes (and
imports) only what it asked for.
"""

from __future__ import annotations

import struct

import msgspec

from core.model.problem import Problem

PROTOCOL = 1
"""Raised when the messages below, commands, queries or events change in a way that older ones do not read."""

MOST_REQUEST = 1024 * 1024
"""Bytes of the largest frame that the engine takes."""

MOST_ANSWER = 256 * 1024 * 1024
"""Bytes of the largest frame that a client takes."""

LENGTH = struct.Struct(">I")


class FrameError(Exception):
    """What came in is no frame of ours."""


class _Message(msgspec.Struct, frozen=True, tag_field="t", omit_defaults=True):
    pass


# From the client.


class Hello(_Message, frozen=True, tag="hello"):
    protocol: int
    version: str


class Submit(_Message, frozen=True, tag="submit"):
    """-> Reply with the operation's id."""

    id: int
    command: msgspec.Raw


class Cancel(_Message, frozen=True, tag="cancel"):
    id: int
    operation: str


class Ask(_Message, frozen=True, tag="ask"):
    """-> Reply with the answer to a query."""

    id: int
    query: msgspec.Raw


class Refresh(_Message, frozen=True, tag="refresh"):
    id: int
    project: str = ""


class ReadStats(_Message, frozen=True, tag="stats"):
    """-> Reply with core.model.machine.Stats."""

    id: int
    project: str
    name: str


class OpenSerial(_Message, frozen=True, tag="serial"):
    id: int
    project: str
    name: str


class Subscribe(_Message, frozen=True, tag="subscribe"):
    id: int
    since: int = 0


class Stop(_Message, frozen=True, tag="stop"):
    """-> Reply once the engine has ended; Failed where it is busy, without ``force`` and ``wait``."""

    id: int
    force: bool = False
    wait: bool = False


Request = Hello | Submit | Cancel | Ask | Refresh | ReadStats | OpenSerial | Subscribe | Stop


# From the engine.


class Welcome(_Message, frozen=True, tag="welcome"):
    protocol: int
    version: str
    pid: int
    running: int
    """Operations that run or wait."""


class Reply(_Message, frozen=True, tag="reply"):
    id: int
    result: msgspec.Raw


class Failed(_Message, frozen=True, tag="failed"):
    id: int
    """0 where the connection as a whole failed; it is closed afterwards."""
    problem: Problem


class First(_Message, frozen=True, tag="first"):
    id: int
    snapshot: msgspec.Raw


class News(_Message, frozen=True, tag="news"):
    id: int
    events: msgspec.Raw
    """A list of core.model.event.Event."""


class Goodbye(_Message, frozen=True, tag="goodbye"):
    why: str = ""


Answer = Welcome | Reply | Failed | First | News | Goodbye

_encoder = msgspec.msgpack.Encoder()


def raw(value: object) -> msgspec.Raw:
    """A value, encoded to be nested in a message."""
    return msgspec.Raw(_encoder.encode(value))


def pack(message: Request | Answer) -> bytes:
    """A message as a frame."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def check_length(header: bytes, most: int) -> int:
    """The length of the frame that a header announces. Raises FrameError where it is too large."""
    length: int = LENGTH.unpack(header)[0]
    if not 0 < length <= most:
        raise FrameError(f"a frame of {length} bytes, where 1 to {most} are allowed")
    return length

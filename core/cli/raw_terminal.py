"""Joins this terminal with a serial line: every key goes there, all but one chord."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from socket import socket

ESCAPE = b"\x1d"
"""Ctrl-]: what telnet and virsh use, and guests do not."""

_SOBER = b"\x18\x1b[0m\x1b[?25h\x1b[?2004l"
"""Ends what the guest left open: a sequence (CAN), colours, a hidden cursor, its paste mode."""


def talk(line: socket, first: bytes = b"", *, source: int | None = None, target: int | None = None) -> str:
    """Until the user presses the chord, or one of the two ends. Returns who ended it: ``user`` or ``line``.

    ``first`` are bytes of the line that came already. The line is closed afterwards.
    """
    source = sys.stdin.fileno() if source is None else source
    target = sys.stdout.fileno() if target is None else target
    with line, raw(source):
        try:
            write_all(target, first)
            return _exchange(line, source, target)
        finally:
            write_all(target, _SOBER)


def _exchange(line: socket, source: int, target: int) -> str:
    while True:
        # By number: a list of a number and a socket has no type.
        ready, _, _ = select.select([source, line.fileno()], [], [])
        if line.fileno() in ready:
            data = _receive(line)
            if not data:
                return "line"
            write_all(target, data)
        if source in ready:
            data = os.read(source, 4096)
            before, chord, _ = data.partition(ESCAPE)
            if not data or chord:
                _send(line, before)
                return "user"
            if not _send(line, before):
                return "line"


def _receive(line: socket) -> bytes:
    try:
        return line.recv(65536)
    except ConnectionError:
        return b""


def _send(line: socket, data: bytes) -> bool:
    try:
        line.sendall(data)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def raw(source: int) -> Iterator[None]:
    """A terminal that hands on every key; anything else is left as it is."""
    if not os.isatty(source):
        yield
        return
    before = termios.tcgetattr(source)
    try:
        tty.setraw(source, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)


def write_all(target: int, data: bytes) -> None:
    """All of it, however little the other side takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]

"""A terminal that was joined with a guest's serial line is handed back sober."""

from __future__ import annotations

import os
import pty
import socket

from core.cli.raw_terminal import ESCAPE, talk


def test_a_sequence_that_the_guest_did_not_finish_does_not_swallow_what_follows() -> None:
    ours, guest = socket.socketpair()
    keyboard, source = pty.openpty()
    shown, target = os.pipe()
    os.write(keyboard, b"ls" + ESCAPE)
    with guest:
        assert talk(ours, b"\x1b[31mred\x1b[", source=source, target=target) == "user"
        assert guest.recv(10) == b"ls"
    os.close(target)
    with os.fdopen(shown, "rb") as out:
        text = out.read()
    for end in (keyboard, source):
        os.close(end)
    assert text.startswith(b"\x1b[31mred\x1b[\x18\x1b[0m")

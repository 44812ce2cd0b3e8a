"""What guests log over the network, as syslog sends it: one message in each datagram."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def listening(target: Path) -> Iterator[int]:
    """The port on 127.0.0.1. Each message is a line of ``target``, after the seconds since the beginning."""
    began = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door, target.open("ab", buffering=0) as file:
        door.bind(("127.0.0.1", 0))
        address = door.getsockname()

        def listen() -> None:
            while message := door.recv(65536):
                file.write(b"%7.1f %b\n" % (time.monotonic() - began, message.rstrip()))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield address[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
                bell.sendto(b"", address)
            thread.join()

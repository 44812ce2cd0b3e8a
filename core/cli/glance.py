"""``status`` and ``global-status`` without the rest of the program: asked so often that imports count.

Whatever is not plain sailing (an option, no engine, an engine of another version, a project file that
is wrong) is left to the whole command, which then does all of it again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from core import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.cli.packed import Record

PROTOCOL = 1
"""Of core.engine.protocol, which a test compares."""

_PATIENCE = 5.0
_BROKEN_PIPE = 141


def glance(words: Sequence[str]) -> int | None:
    """The exit code; None where the whole command has to do it (nothing is printed then)."""
    if len(words) != 1 or words[0] not in ("status", "global-status"):
        return None
    try:
        lines = _lines(words[0])
        if lines is None:
            return None
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return 130
    return 0


def _lines(verb: str) -> list[str] | None:
    root = "" if verb == "global-status" else _root(os.path.realpath("."))
    if root is None:
        return None
    try:
        answer = _ask(root)
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    if answer is None or answer.problem is not None:
        return None
    from core.cli import machine_lines
    from core.cli.look import columns, for_stream

    show = machine_lines.of_project if root else machine_lines.of_all
    machines: list[Record] = answer.machines
    return show(machines, for_stream(sys.stdout), columns(sys.stdout))


def _root(folder: str) -> str | None:
    """The nearest folder with one of the well-known files."""
    from core.cli.well_known import PROJECT_FILES

    while not any(os.path.isfile(f"{folder}/{name}") for name in PROJECT_FILES):  # noqa: PTH113
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return None
        folder = above
    return folder


def _ask(root: str) -> Record | None:
    """The engine's answer to GetMachines; None where no engine of this version answers."""
    import socket

    from core.cli.packed import Record, pack, unpack
    from core.home import folders

    def send(message: dict[str, object]) -> Record:
        body = pack(message)
        connection.sendall(len(body).to_bytes(4, "big") + body)
        answer = unpack(receive(int.from_bytes(receive(4), "big")))
        if not isinstance(answer, Record):
            raise ValueError("no message")
        return answer

    def receive(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise ValueError("cut")
            data += more
        return data

    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(folders()[1] / "engine.sock"))
        welcome = send({"t": "hello", "protocol": PROTOCOL, "version": __version__})
        if (welcome.t, welcome.version) != ("welcome", __version__):
            return None
        reply = send({"t": "ask", "id": 1, "query": {"query": "machines", "project": root}})
        result = reply.result if reply.t == "reply" else None
        return result if isinstance(result, Record) else None

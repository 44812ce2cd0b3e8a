"""A workbench whose machines are reached at real endpoints, as a program for a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.model.machine import Endpoint
from tests.support.tmux import ROOT

_PROGRAM = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
import msgspec
from core.model.machine import Endpoint, MachineState
from tests.support import fake_client
from tui import app

world = fake_client.shop(Path({folder!r}))
for name in {names!r}:
    key = fake_client.SHOP + ":" + name
    end = Endpoint(host={host!r}, port={port}, user={user!r}, identity={identity!r}, known_hosts={known!r})
    running = msgspec.structs.replace(world.machines[key], endpoint=end, state=MachineState.RUNNING)
    world.machines[key] = running
asyncio.run(app.main(Path(fake_client.SHOP), world))
"""


def workbench(folder: Path, end: Endpoint, *names: str) -> list[str]:
    """The command. ``names``: the machines (of ``fake_client.shop``) that answer at the endpoint."""
    script = folder / "console.py"
    script.write_text(
        _PROGRAM.format(
            root=str(ROOT),
            folder=str(folder),
            names=names or ("web",),
            host=end.host,
            port=end.port,
            user=end.user,
            identity=end.identity,
            known=end.known_hosts,
        )
    )
    return [sys.executable, str(script)]


def environment(folder: Path) -> dict[str, str]:
    """For a program in a terminal of its own."""
    names = ("XDG_RUNTIME_DIR", "TMPDIR", "PATH", "XDG_CONFIG_HOME")
    return {"BOXWRIGHT_HOME": str(folder), **{name: os.environ[name] for name in names if name in os.environ}}

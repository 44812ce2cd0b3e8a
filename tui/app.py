"""The workbench's program: connects while it loads, shows one screen, remembers the theme."""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui.bridge import Bridge, Connector, connect_socket
from tui.loading import load
from tui.terminal import Terminal, look_around

if TYPE_CHECKING:
    from tui.program import BoxwrightApp


def run(project: Path | None, *, read_only: bool = False) -> int:
    """Open the workbench on a project's folder, or on none. The exit status."""
    # What is made while loading stays: looking through it for garbage would take as long as the first frame.
    gc.disable()
    return asyncio.run(main(project, connect_socket, read_only=read_only))


async def main(project: Path | None, connector: Connector, *, read_only: bool = False) -> int:
    """As :func:`run`, on a loop and with an engine of the caller's."""
    terminal = look_around()
    bridge = Bridge(str(project or ""), connector=connector, frames=terminal.frames)
    connection = asyncio.get_running_loop().create_task(bridge.run())
    try:
        # The engine is asked, and answers, while the interface is still loading.
        await _load()
        app = make(bridge, terminal, read_only=read_only, newcomers=True)
        await app.run_async(mouse=app.settings.current.mouse)
        return app.return_code or 0
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


async def _load() -> None:
    """Import the interface beside the loop, which takes its turns more often meanwhile."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        await asyncio.to_thread(load)
    finally:
        sys.setswitchinterval(usual)


def make(
    bridge: Bridge, terminal: Terminal, *, read_only: bool = False, newcomers: bool = False
) -> BoxwrightApp:
    from tui.program import BoxwrightApp

    return BoxwrightApp(bridge, terminal, read_only=read_only, newcomers=newcomers)

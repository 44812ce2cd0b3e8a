"""The workbench's program: connects while it loads, shows one screen, remembers the theme."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tui.bridge import Bridge, Connector, connect_socket
from tui.terminal import Terminal, look_around

if TYPE_CHECKING:
    from tui.program import BoxwrightApp


def run(project: Path | None) -> int:
    """Open the workbench on a project's folder, or on none. The exit status."""
    return asyncio.run(main(project, connect_socket))


async def main(project: Path | None, connector: Connector) -> int:
    """As :func:`run`, on a loop and with an engine of the caller's."""
    terminal = look_around()
    bridge = Bridge(str(project) if project else "", connector=connector, frames=terminal.frames)
    connection = asyncio.get_running_loop().create_task(bridge.run())
    # Questions are on their way to the engine before the interface is even loaded.
    await asyncio.sleep(0)
    try:
        app = make(bridge, terminal)
        await app.run_async()
        return app.return_code or 0
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


def make(bridge: Bridge, terminal: Terminal) -> BoxwrightApp:
    from tui.program import BoxwrightApp

    return BoxwrightApp(bridge, terminal)

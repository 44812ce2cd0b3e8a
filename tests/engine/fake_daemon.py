"""The engine's background process with the handlers of the tests: ``python -m tests.engine.fake_daemon``.

Machines named ``gate-...`` wait until a file of that name appears beside the data.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from core.engine import daemon
from core.engine.engine import Engine
from core.paths import Locations
from tests.engine.fakes import Stage, no_project


class FileStage(Stage):
    """Its gates are files, as the test is in another process."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    async def wait(self, name: str) -> None:
        (self._folder / f"{name}.reached").touch()
        while not (self._folder / f"{name}.open").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.005)


def make(where: Locations, **options: Any) -> Engine:
    stage = FileStage(where.data)
    return Engine(where, providers={}, handlers=stage.handlers(), read=no_project, **options)


if __name__ == "__main__":
    daemon.KEEP = 0.02
    sys.exit(daemon.main(make=make))

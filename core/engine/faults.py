"""Ending the engine at a chosen point of its journal, for tests of crash safety.

``BOXWRIGHT_KILL_AT=n`` kills the process (SIGKILL) at the n-th point, counted from 1;
``BOXWRIGHT_POINTS_FILE=file`` gets the name of each point that is passed, one a line.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from core.engine.journal import Point

KILL_AT = "BOXWRIGHT_KILL_AT"
POINTS_FILE = "BOXWRIGHT_POINTS_FILE"


def killer(environment: Mapping[str, str]) -> Point | None:
    """What to hand to the journal, None where the environment asks for nothing."""
    kill_at = int(environment.get(KILL_AT) or 0)
    file = environment.get(POINTS_FILE, "")
    if not kill_at and not file:
        return None
    passed = 0

    def point(name: str) -> None:
        nonlocal passed
        passed += 1
        if file:
            with Path(file).open("a") as out:
                out.write(f"{name}\n")
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return point

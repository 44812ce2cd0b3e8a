"""An engine that is killed in the middle of an action."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from tests.providers.bench import Machine
from tests.providers.qemu.test_crash import KILLED
from tests.support.libvirtd import ROOT


def die(
    provider: str, machine: Machine, action: str, point: int, folder: Path, journal: Path, target: str = ""
) -> bool:
    """Whether the process died before it was through. ``target``: see :mod:`tests.providers.dying`."""
    plan = folder / "plan.json"
    plan.write_bytes(msgspec.json.encode(machine.plan))
    words = [provider, action, str(point), str(plan), str(journal), *([target] if target else [])]
    done = subprocess.run(
        [sys.executable, "-m", "tests.providers.dying", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, KILLED), done.stderr
    return done.returncode == KILLED

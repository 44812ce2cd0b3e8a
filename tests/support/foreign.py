"""Programs from another of Debian's distributions, in a folder of their own, see ``scripts/foreign-root``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CANNOT = 75
"""The script's status where the distribution cannot be installed."""


class NotToday(Exception):
    """The distribution cannot be installed now, which is no fault of what is tested."""


def installed(name: str, cache: Path) -> Path:
    """The folder that ``name`` is installed in; installs it where it is not there yet."""
    ended = subprocess.run(
        [ROOT / "scripts/foreign-root", name],
        env={**os.environ, "BOXWRIGHT_TESTS_CACHE": str(cache), "TMPDIR": "/tmp"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == CANNOT:
        raise NotToday(ended.stderr[-2000:])
    assert ended.returncode == 0, ended.stderr[-3000:]
    return Path(ended.stdout.strip())

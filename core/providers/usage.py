"""What a process of this computer uses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def of_process(pid: int) -> tuple[float, int]:
    """CPU seconds and bytes of memory; zeros for a process that is gone."""
    process = Path("/proc", str(pid))
    if not Path("/proc/self").exists():
        return _asked(pid)
    try:
        # The name, in brackets, may hold spaces and brackets itself.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        pages = int((process / "statm").read_text().split()[1])
    except OSError:
        return 0.0, 0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")


def _asked(pid: int) -> tuple[float, int]:
    """Where there is no /proc."""
    said = subprocess.run(
        ["ps", "-o", "time=,rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    if len(said) != 2:
        return 0.0, 0
    seconds = 0.0
    for part in said[0].replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds, int(said[1]) * 1024

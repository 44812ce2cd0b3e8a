"""What a running machine uses.

Network traffic is not counted: QEMU's user network has no counters, so both figures stay 0.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from core.model.machine import Stats
from core.providers.qemu.links import Link


async def measure(link: Link) -> Stats:
    """Totals since QEMU was started."""
    blocks = await link.monitor.execute("query-blockstats")
    cpu, memory = _of_process(link.pid)
    return Stats(
        time=time.time(),
        cpu_seconds=cpu,
        memory=memory,
        disk_read=sum(block["stats"]["rd_bytes"] for block in blocks),
        disk_written=sum(block["stats"]["wr_bytes"] for block in blocks),
    )


def _of_process(pid: int) -> tuple[float, int]:
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

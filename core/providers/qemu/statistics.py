"""What a running machine uses.

Network traffic is not counted: QEMU's user network has no counters, so both figures stay 0.
"""

from __future__ import annotations

import time

from core.model.machine import Stats
from core.providers.qemu.links import Link
from core.providers.usage import of_process


async def measure(link: Link) -> Stats:
    """Totals since QEMU was started."""
    blocks = await link.monitor.execute("query-blockstats")
    cpu, memory = of_process(link.pid)
    return Stats(
        time=time.time(),
        cpu_seconds=cpu,
        memory=memory,
        disk_read=sum(block["stats"]["rd_bytes"] for block in blocks),
        disk_written=sum(block["stats"]["wr_bytes"] for block in blocks),
    )

"""What a running machine uses: its process's time and memory, and what its devices have counted."""

from __future__ import annotations

import time
from xml.etree import ElementTree

from core.errors import ProviderError
from core.model.machine import MachinePlan, Stats
from core.providers.usage import of_process
from core.providers.virtualbox.context import Context, existing
from core.providers.virtualbox.layout import machine_uuid

PATTERN = "/Public/*"
"""The counters that VirtualBox keeps for others to see."""


async def measure(context: Context, plan: MachinePlan) -> Stats:
    """Totals since the machine was started; raises ProviderError where it does not run."""
    existing(plan)
    row = await context.row(plan)
    if row is None or not row.live:
        raise ProviderError(
            f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
        )
    counted = await context.bridge.call("counters", uuid=machine_uuid(plan.id), pattern=PATTERN)
    cpu, memory = of_process(row.pid)
    totals = read_counters(counted)
    return Stats(
        time=time.time(),
        cpu_seconds=cpu,
        memory=memory,
        disk_read=totals.get("BytesRead", 0),
        disk_written=totals.get("BytesWritten", 0),
        net_received=totals.get("BytesReceived", 0),
        net_sent=totals.get("BytesTransmitted", 0),
    )


def read_counters(xml: str) -> dict[str, int]:
    """Sums over all devices, by the last word of the counters' names; {} of what cannot be understood."""
    totals: dict[str, int] = {}
    try:
        tree = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return totals
    for counter in tree.iter():
        name, value = counter.get("name", ""), counter.get("c", counter.get("val", ""))
        if value.isdecimal():
            word = name.rpartition("/")[2]
            totals[word] = totals.get(word, 0) + int(value)
    return totals

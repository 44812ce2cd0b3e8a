"""What a running container uses: its control groups and its cards, as libvirt reads them."""

from __future__ import annotations

import time
from typing import Any
from xml.etree import ElementTree

from core.errors import ProviderError
from core.model.machine import MachinePlan, Stats
from core.providers.libvirt import domains
from core.providers.libvirt.context import Context, existing


async def measure(context: Context, plan: MachinePlan) -> Stats:
    """Totals since the machine was started; raises ProviderError where it does not run."""
    found = await context.of(plan, existing(plan)).run(_ask, plan.id)
    if found is None:
        raise ProviderError(
            f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
        )
    return found


def _ask(handle: Any, machine_id: str) -> Stats | None:
    domain = domains.find(handle, machine_id)
    if domain is None or not domain.isActive():
        return None
    _state, _most, memory, _cpus, nanoseconds = domain.info()
    received = sent = 0
    for card in ElementTree.fromstring(domain.XMLDesc(0)).iterfind("devices/interface/target"):
        numbers = domain.interfaceStats(card.get("dev", ""))
        received, sent = received + numbers[0], sent + numbers[4]
    return Stats(
        time=time.time(),
        cpu_seconds=nanoseconds / 1e9,
        memory=memory * 1024,
        disk_read=0,
        disk_written=0,
        net_received=received,
        net_sent=sent,
    )

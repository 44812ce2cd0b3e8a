"""What running machines use."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan, Stats
from core.providers.lxd.context import Context, existing


async def measure(context: Context, plan: MachinePlan) -> Stats:
    """Totals since the machine was started; raises ProviderError where it does not run."""
    record = existing(plan)
    row = await context.row(plan, record)
    if row is None or not row.active:
        raise ProviderError(
            f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
        )
    return read_state(await context.of(plan, record).ask("GET", f"{row.path}/state"), time.time())


def read_state(state: Mapping[str, Any], now: float) -> Stats:
    """From the server's account of an instance. It does not count what disks read and write."""
    cards = [card for name, card in (state.get("network") or {}).items() if name != "lo"]
    counters = [card.get("counters") or {} for card in cards]
    return Stats(
        time=now,
        cpu_seconds=max(0, int((state.get("cpu") or {}).get("usage", 0))) / 1e9,
        memory=int((state.get("memory") or {}).get("usage", 0)),
        net_received=sum(int(counter.get("bytes_received", 0)) for counter in counters),
        net_sent=sum(int(counter.get("bytes_sent", 0)) for counter in counters),
    )

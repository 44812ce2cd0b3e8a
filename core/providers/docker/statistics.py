"""What a running container uses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan, Stats
from core.providers.docker import record as records
from core.providers.docker.context import Context, existing
from core.providers.docker.layout import Layout


async def measure(context: Context, plan: MachinePlan) -> Stats:
    """Totals since it was started; raises ProviderError where it does not run."""
    record = existing(plan, records.read(Layout.of(plan)))
    daemon = await context.of(plan, record)
    query = {"stream": False, "one-shot": True}
    numbers = await daemon.ask("GET", f"/containers/{record.container}/stats", query=query)
    if not (numbers.get("memory_stats") or {}).get("usage"):
        raise ProviderError(
            f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
        )
    return read_numbers(numbers, time.time())


def read_numbers(numbers: Mapping[str, Any], now: float) -> Stats:
    """From Docker's answer, which differs with the version of the kernel's control groups."""
    memory = numbers.get("memory_stats") or {}
    details = memory.get("stats") or {}
    # As docker stats does: what the kernel can drop at any moment is not counted.
    cached = details.get("total_inactive_file", details.get("inactive_file", 0))
    blocks = (numbers.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ()
    cards = (numbers.get("networks") or {}).values()
    return Stats(
        time=now,
        cpu_seconds=int(((numbers.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage", 0))
        / 1e9,
        memory=max(0, int(memory.get("usage", 0)) - int(cached)),
        disk_read=_total(blocks, "read"),
        disk_written=_total(blocks, "write"),
        net_received=sum(int(card.get("rx_bytes", 0)) for card in cards),
        net_sent=sum(int(card.get("tx_bytes", 0)) for card in cards),
    )


def _total(entries: Iterable[Mapping[str, Any]], kind: str) -> int:
    return sum(int(entry.get("value", 0)) for entry in entries if str(entry.get("op", "")).lower() == kind)

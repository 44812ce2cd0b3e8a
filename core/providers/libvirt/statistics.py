"""What running machines use: whoever asks at the same moment is answered by one call.

Network traffic is that of the cards in libvirt's networks: QEMU's user network has no counters.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachinePlan, Stats
from core.providers.libvirt import domains
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, existing
from core.providers.libvirt.library import bindings

Numbers = Mapping[str, Any]


class Measuring:
    """Questions of one moment, by connection."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked: dict[Connection, dict[str, asyncio.Future[Numbers | None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def measure(self, plan: MachinePlan) -> Stats:
        """Totals since the machine was started; raises ProviderError where it does not run."""
        connection = self._context.of(plan, existing(plan))
        waiting = self._asked.get(connection)
        if waiting is None:
            waiting = self._asked[connection] = {}
            task = asyncio.create_task(self._answer(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if plan.id not in waiting:
            waiting[plan.id] = asyncio.get_running_loop().create_future()
        numbers = await asyncio.shield(waiting[plan.id])
        if numbers is None:
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        return read_numbers(numbers, time.time())

    async def _answer(self, connection: Connection) -> None:
        await asyncio.sleep(0)
        asked = self._asked.pop(connection)
        try:
            found = await connection.run(_ask, tuple(asked))
        except BoxwrightError as error:
            for future in asked.values():
                future.set_exception(error)
                future.exception()
            return
        for machine_id, future in asked.items():
            future.set_result(found.get(machine_id))


def _ask(handle: Any, ids: tuple[str, ...]) -> dict[str, Numbers]:
    libvirt = bindings()
    running = {}
    for machine_id in ids:
        domain = domains.find(handle, machine_id)
        if domain is not None and domain.isActive():
            running[domain.UUIDString()] = (machine_id, domain)
    if not running:
        return {}
    kinds = (
        libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        | libvirt.VIR_DOMAIN_STATS_BALLOON
        | libvirt.VIR_DOMAIN_STATS_BLOCK
        | libvirt.VIR_DOMAIN_STATS_INTERFACE
    )
    # A guest that is being saved would hold up all the others.
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    answers = handle.domainListGetStats([domain for _, domain in running.values()], kinds, flags)
    return {running[domain.UUIDString()][0]: numbers for domain, numbers in answers}


def read_numbers(numbers: Numbers, now: float) -> Stats:
    """From libvirt's typed parameters."""

    def total(group: str, what: str) -> int:
        count = int(numbers.get(f"{group}.count", 0))
        return sum(int(numbers.get(f"{group}.{i}.{what}", 0)) for i in range(count))

    return Stats(
        time=now,
        cpu_seconds=int(numbers.get("cpu.time", 0)) / 1e9,
        memory=int(numbers.get("balloon.rss", 0)) * 1024,
        disk_read=total("block", "rd.bytes"),
        disk_written=total("block", "wr.bytes"),
        net_received=total("net", "rx.bytes"),
        net_sent=total("net", "tx.bytes"),
    )

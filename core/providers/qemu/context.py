"""What all actions on machines share within one engine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.ports import Claims
from core.providers.qemu import processes
from core.providers.qemu import record as records
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link, Links
from core.providers.qemu.monitor import Monitor
from core.providers.qemu.record import Record

UNDO_TIMEOUT = 120.0
"""Seconds for QEMU's answer when something is undone: it may be in the middle of saving memory."""


class Context:
    """Connections and port claims; nothing in here outlives the engine, or has to."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.claims = Claims()

    async def running(self, plan: MachinePlan) -> Link:
        """The link to the machine's process; raises ProviderError where it does not run."""
        pid = processes.find(Layout.of(plan).pid_file)
        if pid is None:
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        return await self.links.open(plan, pid)

    @contextlib.asynccontextmanager
    async def monitor(self, facts: Mapping[str, Any]) -> AsyncIterator[Monitor | None]:
        """For undoing, which knows no plan: the machine's monitor, None where no process lives."""
        link = self.links.get(facts["id"])
        layout = Layout.from_facts(facts)
        if link and not link.gone:
            with link.changing():
                yield link.monitor
        elif processes.find(layout.pid_file) is None:
            yield None
        else:
            monitor = await Monitor.connect(layout.monitor_socket, UNDO_TIMEOUT)
            try:
                yield monitor
            finally:
                await monitor.close()

    async def end(self, machine_id: str, layout: Layout) -> None:
        """End the machine's process at once, whatever it is doing."""
        await self.links.drop(machine_id)
        await processes.end(layout.pid_file)
        remove_traces(layout)


def facts(plan: MachinePlan) -> dict[str, str]:
    """The facts of an intent: enough to find the process and the files without a plan."""
    return {"id": plan.id, **Layout.of(plan).facts()}


def existing(plan: MachinePlan) -> Record:
    """The machine's record; raises ProviderError where the machine was not created."""
    record = records.read(Layout.of(plan))
    if record is None:
        raise ProviderError(
            f"The machine {plan.key.name} does not exist.", remedy=f"boxwright up {plan.key.name}"
        )
    return record


def remove_traces(layout: Layout) -> None:
    """What a process that was killed leaves behind."""
    for path in (*layout.sockets, layout.pid_file):
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):
        layout.runtime.rmdir()

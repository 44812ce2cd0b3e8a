"""The engine's connections to running machines, and what comes over them unasked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from core.model.machine import MachinePlan
from core.providers.qemu import processes
from core.providers.qemu.layout import Layout
from core.providers.qemu.monitor import Monitor

CONNECT_TIMEOUT = 5.0
"""Seconds for QEMU's greeting. It answers in milliseconds; only another client's connection holds it up."""

_NEWS = ("SHUTDOWN", "STOP", "RESUME", "BLOCK_IO_ERROR")

Report = Callable[["Link"], Awaitable[None]]


class Link:
    """A running machine: its process and the connection to its monitor."""

    def __init__(self, plan: MachinePlan, pid: int, monitor: Monitor) -> None:
        self.plan = plan
        self.pid = pid
        self.monitor = monitor
        self.ended_by = ""
        """Why QEMU said that it shuts down, e.g. ``guest-shutdown``, ``host-signal``."""
        self.disk_trouble = ""
        """Why the guest's last write failed, since when the machine is paused."""
        self.told_paused = False
        """Whoever watches was last told that the machine is paused."""
        self.gone = False
        self._busy = 0
        self.task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """An operation of ours is changing the machine: what happens is no news."""
        return self._busy > 0

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1


class Links:
    """At most one link per machine; ``report`` is called when one has news that nobody here caused."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._links: dict[str, Link] = {}
        self._opening: dict[str, asyncio.Lock] = {}

    def get(self, machine_id: str) -> Link | None:
        return self._links.get(machine_id)

    async def open(self, plan: MachinePlan, pid: int) -> Link:
        """The link to the machine's process ``pid``; raises MonitorError."""
        async with self._opening.setdefault(plan.id, asyncio.Lock()):
            link = self._links.get(plan.id)
            if link and link.pid == pid and not link.gone:
                return link
            if link:
                await self.drop(plan.id)
            monitor = await Monitor.connect(Layout.of(plan).monitor_socket, CONNECT_TIMEOUT)
            link = Link(plan, pid, monitor)
            self._links[plan.id] = link
            link.task = asyncio.create_task(self._follow(link), name=f"qemu {plan.id}")
            return link

    async def _follow(self, link: Link) -> None:
        with link.monitor.listening(*_NEWS) as following:
            while event := await following():
                name, data = event
                if name == "SHUTDOWN":
                    link.ended_by = str(data.get("reason", ""))
                elif name == "RESUME":
                    link.disk_trouble = ""
                elif name == "BLOCK_IO_ERROR" and data.get("action") == "stop":
                    full = data.get("nospace")
                    link.disk_trouble = (
                        "the host's disk is full" if full else str(data.get("reason", "a disk error"))
                    )
                if name in ("STOP", "RESUME") and not link.busy:
                    await self._report(link)
        await self._ended(link)

    async def _ended(self, link: Link) -> None:
        """The connection is over, which it is when the process ends; that is waited for."""
        was_busy = link.busy
        await processes.ended(link.pid, 30.0)
        link.gone = True
        await link.monitor.close()
        if self._links.get(link.plan.id) is link:
            del self._links[link.plan.id]
        if not was_busy and not link.busy:
            await self._report(link)

    async def drop(self, machine_id: str) -> None:
        """Let go of a machine, which runs on."""
        link = self._links.pop(machine_id, None)
        if link is None:
            return
        link.gone = True
        if link.task and link.task is not asyncio.current_task():
            link.task.cancel()
            await asyncio.wait([link.task])
        await link.monitor.close()

    async def close(self) -> None:
        for machine_id in tuple(self._links):
            await self.drop(machine_id)

"""Keeping up with the providers: are they usable, what do their machines do?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from core.engine.records import MachineRecord
from core.engine.registry import MachineRegistry
from core.errors import BoxwrightError
from core.model.event import Change, ProviderProbed
from core.model.machine import MachineState
from core.model.provider import Capability, Probe
from core.providers.base import Provider, Seen

PROBE_LIMIT = 10.0
"""Seconds after which a provider that does not answer counts as not usable."""

LOOK_LIMIT = 20.0
ADOPT_LIMIT = 1.0
"""Seconds that a start waits for the first look at the machines."""

AGAIN = 5.0
"""Seconds before a watch that broke is begun again."""

_log = logging.getLogger(__name__)


class Watcher:
    """Probes providers, looks at machines, and follows what the providers push. Never on a query's path."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        machines: MachineRegistry,
        publish: Callable[[Change], None],
        broken: Iterable[Probe] = (),
    ) -> None:
        """``broken``: what is known of providers that cannot even be loaded."""
        self._providers = providers
        self._machines = machines
        self._publish = publish
        self._probes = {probe.provider: probe for probe in broken}
        self._probing: dict[str, asyncio.Task[Probe]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._missed: set[str] = set()

    async def start(self) -> None:
        """Probe, adopt and watch, in the background.

        Waits a moment for the machines to be looked at, so that the first answer after a start is
        not what the journal remembers of machines that are long gone.
        """
        looks = []
        for name in self._providers:
            self._probe_again(name)
            looks.append(self._spawn(self._adopt(name), f"adopt {name}"))
            self._spawn(self._watch(name), f"watch {name}")
        for record in self._machines.records():
            if record.provider not in self._providers:
                trouble = f"Its provider, {record.provider}, is not installed any more."
                self._machines.seen(record.id, Seen(state=MachineState.BROKEN, trouble=trouble))
        if looks and self._machines.records():
            await asyncio.wait(looks, timeout=ADOPT_LIMIT)

    async def stop(self) -> None:
        tasks = [*self._tasks, *self._probing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Probes.

    def probes(self) -> tuple[Probe, ...]:
        """As they came out last; those that are not known yet are left out."""
        return tuple(self._probes.values())

    async def probe(self, provider: str) -> Probe:
        """How a provider's probe came out; waits for the first one. One that was not usable is probed
        again: somebody may have mended it."""
        known = self._probes.get(provider)
        if known is not None and known.usable:
            return known
        return await asyncio.shield(self._probe_again(provider))

    async def probe_for(self, provider: str, options: Mapping[str, Any]) -> Probe:
        """How it comes out where a machine with these options is to be."""
        return await self._ask(provider, options)

    def refresh(self, machines: Iterable[MachineRecord]) -> None:
        """Probe all providers and look at these machines again; results come as events."""
        for name in self._providers:
            self._probe_again(name)
        self._spawn(self.look(machines), "refresh")

    def _probe_again(self, name: str) -> asyncio.Task[Probe]:
        running = self._probing.get(name)
        if running is None:
            running = asyncio.create_task(self._probe(name), name=f"probe {name}")
            self._probing[name] = running
            running.add_done_callback(lambda _task: self._probing.pop(name, None))
        return running

    async def _ask(self, name: str, options: Mapping[str, Any] | None = None) -> Probe:
        try:
            async with asyncio.timeout(PROBE_LIMIT):
                return await self._providers[name].probe(options)
        except TimeoutError:
            return Probe(provider=name, usable=False, why=f"It does not answer within {PROBE_LIMIT:.0f} s.")
        except Exception as error:
            # A probe never raises; one of a plugin that does must not take the others down.
            _log.exception("probe of %s", name)
            return Probe(provider=name, usable=False, why=f"Its probe failed: {error}")

    async def _probe(self, name: str) -> Probe:
        probe = await self._ask(name)
        if self._probes.get(name) != probe:
            self._probes[name] = probe
            self._publish(ProviderProbed(probe))
        return probe

    # Machines.

    async def look(
        self,
        machines: Iterable[MachineRecord],
        *,
        force: bool = False,
        told: Mapping[str, Seen] | None = None,
    ) -> None:
        """Ask the providers what these machines really do, one bulk look for each provider, all at once.

        ``force``: also take it over for machines that a handler is starting or stopping. ``told``: what
        was pushed of them, by id; it may say why a machine is in the state that it is found in.
        """
        by_provider: dict[str, list[MachineRecord]] = {}
        for record in machines:
            by_provider.setdefault(record.provider, []).append(record)
        looks = [
            self._look_at(provider, records, force, told or {})
            for name, records in by_provider.items()
            if (provider := self._providers.get(name)) is not None
        ]
        await asyncio.gather(*looks)

    async def _look_at(
        self, provider: Provider, records: list[MachineRecord], force: bool, told: Mapping[str, Seen]
    ) -> None:
        try:
            async with asyncio.timeout(LOOK_LIMIT):
                states = await provider.states([record.plan for record in records])
        except (BoxwrightError, OSError, TimeoutError) as error:
            _log.warning("states of %s: %s", provider.name, error or "no answer")
            return
        for record in records:
            seen = states.get(record.id)
            # A record that has changed meanwhile was changed by somebody who knew better.
            if seen is None or self._machines.by_id(record.id) is not record:
                continue
            pushed = told.get(record.id)
            if pushed is not None and pushed.state is seen.state and not seen.trouble:
                seen = pushed
            if not self._machines.seen(record.id, seen, force=force):
                self._missed.add(record.id)

    async def settle(self, record: MachineRecord | None, *, always: bool) -> None:
        """After an operation on a machine: catch up on what was not heeded while it ran."""
        if record is None:
            return
        if always or record.id in self._missed:
            self._missed.discard(record.id)
            await self.look([record], force=True)
            await self._list_snapshots([record])

    async def _list_snapshots(self, machines: Iterable[MachineRecord]) -> None:
        """Take over which snapshots there are: work that was cut short may have made or undone some."""
        for record in machines:
            provider = self._providers.get(record.provider)
            if provider is None or Capability.SNAPSHOT not in provider.capabilities:
                continue
            try:
                async with asyncio.timeout(LOOK_LIMIT):
                    found = await provider.snapshots(record.plan)
            except (BoxwrightError, OSError, TimeoutError) as error:
                _log.warning("snapshots of %s: %s", record.key, error or "no answer")
                continue
            if self._machines.by_id(record.id) is not None:
                self._machines.change(record.key, snapshots=found)

    async def _adopt(self, name: str) -> None:
        mine = [record for record in self._machines.records() if record.provider == name]
        await self.look(mine)
        await self._list_snapshots(mine)

    async def _watch(self, name: str) -> None:
        told = ""
        while True:
            try:
                async for change in self._providers[name].watch():
                    told = ""
                    record = self._machines.by_id(change.id)
                    if record is not None:
                        # The change may be older than what was done since: look for oneself.
                        await self.look([record], told={change.id: change.seen})
            except (BoxwrightError, OSError) as error:
                if str(error) != told:
                    told = str(error)
                    _log.warning("watch of %s: %s", name, error)
            except Exception:
                if told != "bug":
                    told = "bug"
                    _log.exception("watch of %s", name)
            await asyncio.sleep(AGAIN)

    def _spawn(self, coroutine: Coroutine[Any, Any, object], name: str) -> asyncio.Task[object]:
        task: asyncio.Task[object] = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s", task.get_name(), exc_info=task.exception())

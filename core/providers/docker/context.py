"""What all actions on containers share within one engine."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.docker import record as records
from core.providers.docker.address import Address, parse, resolve
from core.providers.docker.attention import Attention, Review, Subject
from core.providers.docker.daemon import Daemon
from core.providers.docker.events import Listener
from core.providers.docker.layout import Layout
from core.providers.docker.logs import Logs
from core.providers.docker.options import read_options
from core.providers.docker.record import Record
from core.providers.docker.sharing import Locks
from core.providers.ports import Claims


class Context:
    """Daemons, port claims, and who is busy; nothing in here outlives the engine, or has to."""

    def __init__(self, review: Review) -> None:
        self.claims = Claims()
        self.attention = Attention(review)
        self.locks = Locks()
        self.logs = Logs()
        self._in_use: Counter[str] = Counter()
        self._daemons: dict[str, Daemon] = {}
        self._listeners: dict[str, Listener] = {}

    def daemon(self, address: Address) -> Daemon:
        return self._daemons.setdefault(str(address), Daemon(address))

    async def of(self, plan: MachinePlan, record: Record | None = None) -> Daemon:
        """The daemon that has the machine, or will have it, once its events are heard. Raises DockerError."""
        daemon = self.daemon(address_of(plan, record))
        await self.listen(daemon)
        return daemon

    async def listen(self, daemon: Daemon) -> None:
        key = str(daemon.address)
        if key not in self._listeners:
            self._listeners[key] = Listener(
                daemon, self.attention.happened, lambda: self._returned(daemon.address)
            )
        await self._listeners[key].ready()

    def _returned(self, address: Address) -> None:
        """The daemon is back: whatever its containers did meanwhile was not pushed."""
        for subject in self.attention.subjects():
            with contextlib.suppress(ProviderError):
                if address_of(subject.plan) == address:
                    self.attention.happened(subject.plan.id)

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan) -> AsyncIterator[tuple[Daemon, Record | None, Subject]]:
        """The machine is ours to change: its daemon, its record as it is now, and what is known of it."""
        record = records.read(Layout.of(plan))
        daemon = await self.of(plan, record)
        async with self.attention.changing(plan) as subject:
            yield daemon, record, subject

    @contextlib.contextmanager
    def using(self, networks: Iterable[str]) -> Iterator[None]:
        """Within the block these networks, which a container is about to need, are not removed."""
        held = tuple(networks)
        self._in_use.update(held)
        try:
            yield
        finally:
            self._in_use.subtract(held)

    def in_use(self, network: str) -> bool:
        return self._in_use[network] > 0

    async def close(self) -> None:
        for listener in tuple(self._listeners.values()):
            await listener.close()
        await self.attention.close()
        await self.logs.close()
        self._listeners.clear()
        self._daemons.clear()


def address_of(plan: MachinePlan, record: Record | None = None) -> Address:
    """Which daemon: the one that has the container; for a machine that is not made, as the project says."""
    record = record or records.read(Layout.of(plan))
    if record is not None:
        return parse(record.address)
    options = read_options(plan.options)
    return resolve(options.host, options.certificates)


def existing(plan: MachinePlan, record: Record | None) -> Record:
    """Raises ProviderError where the machine was not created."""
    if record is None:
        raise ProviderError(
            f"The machine {plan.key.name} does not exist.", remedy=f"boxwright up {plan.key.name}"
        )
    return record

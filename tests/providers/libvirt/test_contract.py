"""Real libvirt keeps the contract: the daemon of a user, and the system's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.clones import MemoryClones
from tests.providers.contract import ProviderContract, machines  # noqa: F401
from tests.providers.libvirt.bench import LibvirtBench
from tests.support.libvirtd import Libvirtd


async def _bench(
    daemon: Libvirtd, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LibvirtBench]:
    monkeypatch.setenv(URI_VARIABLE, daemon.uri)
    made = LibvirtBench(folder, daemon.uri)
    yield made
    await made.close()


@pytest.mark.real
class TestSession(MemoryClones, ProviderContract):
    @pytest.fixture
    async def bench(
        self, session_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[LibvirtBench]:
        async for made in _bench(session_daemon, short_folder, monkeypatch):
            yield made


@pytest.mark.real
class TestSystem(MemoryClones, ProviderContract):
    @pytest.fixture
    async def bench(
        self, system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[LibvirtBench]:
        async for made in _bench(system_daemon, short_folder, monkeypatch):
            yield made

"""Private networks of real guests: on the system's libvirt, and on a user's, which makes none by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.contract import machines  # noqa: F401
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.networks import Networks, OverSsh, TinyPlans
from tests.support.libvirtd import Libvirtd
from tests.support.tiny import tiny_image  # noqa: F401


class TinyBench(OverSsh, LibvirtBench):
    """The guest answers SSH."""


async def _bench(
    daemon: Libvirtd, folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TinyBench]:
    monkeypatch.setenv(URI_VARIABLE, daemon.uri)
    made = TinyBench(folder, daemon.uri, TinyPlans(folder, image))
    yield made
    await made.close()


@pytest.mark.real
class TestSession(Networks):
    @pytest.fixture
    async def bench(
        self,
        session_daemon: Libvirtd,
        short_folder: Path,
        tiny_image: Path,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[TinyBench]:
        async for made in _bench(session_daemon, short_folder, tiny_image, monkeypatch):
            yield made


@pytest.mark.real
class TestSystem(Networks):
    @pytest.fixture
    async def bench(
        self,
        system_daemon: Libvirtd,
        short_folder: Path,
        tiny_image: Path,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[TinyBench]:
        async for made in _bench(system_daemon, short_folder, tiny_image, monkeypatch):
            yield made

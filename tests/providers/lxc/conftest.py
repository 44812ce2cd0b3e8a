"""A libvirt of containers for these tests alone, and a box that is LXD's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.libvirt.conftest import running, short_folder
from tests.providers.lxc.bench import LxcBench
from tests.providers.lxd.conftest import machine, rootfs
from tests.providers.stopped import machines
from tests.support.libvirtd import Libvirtd

__all__ = ["machine", "machines", "rootfs", "short_folder"]


@pytest.fixture(scope="session")
def daemon() -> Iterator[Libvirtd]:
    yield from running("containers")


@pytest.fixture
async def bench(
    daemon: Libvirtd, rootfs: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LxcBench]:
    monkeypatch.setenv(URI_VARIABLE, daemon.uri)
    made = LxcBench(short_folder, daemon.uri, rootfs)
    yield made
    await made.close()

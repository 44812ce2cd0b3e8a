"""A daemon of LXD for these tests alone, and a box that takes a moment to start."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.providers.bench import Machine
from tests.providers.lxd.bench import LxdBench
from tests.support.lxd import Lxd, running, write_rootfs


@pytest.fixture(scope="session")
def daemon() -> Iterator[Lxd]:
    with running() as made:
        yield made


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rootfs(tmp_path_factory.mktemp("box") / "rootfs.tar.gz")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="l"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def bench(
    daemon: Lxd, rootfs: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LxdBench]:
    monkeypatch.setenv(daemon.variable, str(daemon.folder))
    made = LxdBench(short_folder, daemon, rootfs)
    yield made
    await made.close()


@pytest.fixture
async def machine(bench: LxdBench) -> AsyncIterator[Machine]:
    made = Machine(bench, bench.plans.make())
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []

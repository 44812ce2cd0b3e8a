"""A daemon of Docker for these tests alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.providers.docker.bench import COUNTER, COUNTING, DockerBench
from tests.support.dockerd import Dockerd


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Dockerd]:
    folder = Path(tempfile.mkdtemp(prefix="d"))
    daemon = Dockerd(folder)
    try:
        daemon.start()
        daemon.load("tiny:1", changes=('CMD ["/bin/sh"]',))
        daemon.load(COUNTING, {"/bin/counter": COUNTER}, changes=('CMD ["/bin/counter"]',))
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder)


@pytest.fixture
def daemon(dockerd: Dockerd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dockerd]:
    """The daemon that ``DOCKER_HOST`` names; after the test it has what it had before."""
    monkeypatch.setenv("DOCKER_HOST", dockerd.url)
    before = dockerd.objects()
    yield dockerd
    assert dockerd.objects() == before


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="l"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def bench(daemon: Dockerd, short_folder: Path) -> AsyncIterator[DockerBench]:
    made = DockerBench(short_folder, daemon)
    yield made
    await made.clear()
    await made.close()

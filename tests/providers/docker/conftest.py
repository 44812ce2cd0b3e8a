"""What is to be tested of the provider, at the daemon of all tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.providers.docker.bench import DockerBench
from tests.support.dockerd import Dockerd


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

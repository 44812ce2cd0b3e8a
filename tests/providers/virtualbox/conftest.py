"""One real VirtualBox for these tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, foreign
from tests.providers.stopped import machines
from tests.providers.virtualbox.bench import VirtualBoxBench
from tests.support.bootsector import write_disk
from tests.support.virtualbox import VirtualBox, make_box, seen

__all__ = ["machines"]


@pytest.fixture(scope="session")
def virtualbox(request: pytest.FixtureRequest) -> Iterator[VirtualBox]:
    system = foreign(request.config, "virtualbox")
    folder = Path(tempfile.mkdtemp(prefix="vb"))
    made = VirtualBox(system, folder, seen(request.config.stash[ROOT]))
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def box(virtualbox: VirtualBox) -> Path:
    """The files of a box, made by VirtualBox itself."""
    folder = virtualbox.folder / "box"
    disk = write_disk(virtualbox.folder / "box.img")
    return make_box(virtualbox, folder, disk=disk)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="v"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def bench(
    virtualbox: VirtualBox, box: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[VirtualBoxBench]:
    for name, value in virtualbox.environment.items():
        monkeypatch.setenv(name, value)
    before = virtualbox.listing()
    made = VirtualBoxBench(short_folder, virtualbox, box)
    yield made
    await made.close()
    assert virtualbox.listing() == before, "something of ours is still there"

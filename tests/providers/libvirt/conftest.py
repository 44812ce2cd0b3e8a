"""Daemons of libvirt for these tests alone."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.libvirtd import Libvirtd


def running(kind: str) -> Iterator[Libvirtd]:
    folder = Path(tempfile.mkdtemp(prefix="lv"))
    daemon = Libvirtd(kind, folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def session_daemon() -> Iterator[Libvirtd]:
    yield from running("session")


@pytest.fixture(scope="session")
def system_daemon() -> Iterator[Libvirtd]:
    yield from running("system")


@pytest.fixture(scope="session")
def other_daemon() -> Iterator[Libvirtd]:
    """One that takes itself for another computer."""
    folder = Path(tempfile.mkdtemp(prefix="lv"))
    settings = folder / "home" / "libvirt"
    settings.mkdir(parents=True)
    (settings / "libvirtd.conf").write_text(f'host_uuid = "{uuid.uuid4()}"\n')
    daemon = Libvirtd("session", folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="l"))
    yield folder
    shutil.rmtree(folder)

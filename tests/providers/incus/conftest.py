"""A daemon of Incus for these tests alone; all else is as for LXD."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ROOT, foreign
from tests.providers.lxd.conftest import bench, machine, rootfs, short_folder
from tests.support.incus import Incus
from tests.support.lxd import Lxd, running

__all__ = ["bench", "machine", "rootfs", "short_folder"]


LONG = ("cancelled", "ports_of_its_own", "know_their_parents", "suspended_and_a_broken")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is long and a matter of our code, which is LXD's, only `make slow` does here, too."""
    for item in items:
        if item.nodeid.startswith("tests/providers/incus/") and any(part in item.name for part in LONG):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def daemon(request: pytest.FixtureRequest) -> Iterator[Lxd]:
    system = foreign(request.config, "incus")
    shared = request.config.stash[ROOT]
    with running(lambda folder: Incus(folder, system, shared)) as made:
        yield made

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.client import launch
from core.client.blocking import BlockingClient
from core.paths import Locations
from tests.engine.fakes import locations
from tests.engine.processes import MODULE, end_engine, eventually


@pytest.fixture(autouse=True)
def fake_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients start an engine with the handlers of the tests."""
    monkeypatch.setattr(launch, "MODULE", MODULE)


@pytest.fixture
def where(boxwright_home: Path) -> Iterator[Locations]:
    """Where clients find their engine; the one that is left at the end is killed."""
    where = locations(boxwright_home)
    yield where
    end_engine(where)


@dataclasses.dataclass
class Gates:
    """The gates of the engine's handlers: machines wait at the one of their name."""

    folder: Path

    def open(self, name: str) -> None:
        (self.folder / f"{name}.open").touch()

    def reached(self, name: str) -> None:
        """Wait until a handler has come to the gate."""
        eventually((self.folder / f"{name}.reached").exists)


@pytest.fixture
def gates(where: Locations) -> Gates:
    return Gates(where.data)


@pytest.fixture
def client(where: Locations) -> Iterator[BlockingClient]:
    with BlockingClient.connect(where) as client:
        yield client

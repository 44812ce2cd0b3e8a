"""What the tests of boxes share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core import boxes
from core.boxes import http, resolve
from core.boxes.store import BoxStore
from tests.boxes.server import Server
from tests.support.work import RecordingWork


@pytest.fixture(autouse=True)
def quiet_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies, no configured servers, and no waiting before something is tried again."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", *resolve.SERVER_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(http, "RETRY_DELAY", 0.001)


@pytest.fixture
def store(tmp_path: Path) -> BoxStore:
    return BoxStore(tmp_path / "boxes")


@pytest.fixture
async def work(store: BoxStore) -> AsyncIterator[RecordingWork]:
    """Undoes at the end what is not settled, as the engine does, and looks for what is left then."""
    recording = RecordingWork(undo=boxes.UNDO)
    yield recording
    await recording.undo()
    assert not list(store.staging.iterdir()), "a staging folder is left"
    assert not [each for each in store.leftovers() if "content" in each.what], "content is left"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.engine.engine import Engine
from tests.engine.fakes import Stage, make_engine


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def engine(boxwright_home: Path, stage: Stage) -> AsyncIterator[Engine]:
    """A started engine with the handlers of ``stage``."""
    engine = make_engine(boxwright_home, stage)
    await engine.start()
    yield engine
    await engine.stop(force=True)

"""Private networks of real guests on QEMU."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.providers.contract import machines  # noqa: F401
from tests.providers.networks import Networks, OverSsh, TinyPlans
from tests.providers.qemu.test_contract import QemuBench
from tests.support.tiny import tiny_image  # noqa: F401


class TinyBench(OverSsh, QemuBench):
    pass


@pytest.fixture
async def bench(short_folder: Path, tiny_image: Path) -> AsyncIterator[TinyBench]:  # noqa: F811
    made = TinyBench(short_folder)
    made.plans = TinyPlans(short_folder, tiny_image)
    yield made
    await made.provider.close()


@pytest.mark.real
class TestQemuNetworks(Networks):
    pass

"""Real Incus keeps the contract, with the code that is LXD's."""

from __future__ import annotations

import pytest

from tests.providers.contract import machines  # noqa: F401
from tests.providers.lxd import test_contract


@pytest.mark.real
class TestIncus(test_contract.TestLxd):
    pass

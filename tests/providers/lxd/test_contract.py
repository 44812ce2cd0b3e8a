"""Real LXD keeps the contract."""

from __future__ import annotations

import pytest

from tests.providers.clones import Clones
from tests.providers.contract import GuestContract, machines  # noqa: F401
from tests.providers.networks import Networks


@pytest.mark.real
class TestLxd(Clones, Networks, GuestContract):
    linked = False

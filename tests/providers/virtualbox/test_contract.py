"""Real VirtualBox keeps the part of the contract that needs no running guest."""

from __future__ import annotations

import pytest

from tests.providers.clones import StoppedClones
from tests.providers.stopped import StoppedContract


@pytest.mark.real
class TestVirtualBox(StoppedContract, StoppedClones):
    pass

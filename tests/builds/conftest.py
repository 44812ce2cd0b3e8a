"""Fixtures of the tests of builds."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tiny import tiny_image, tiny_store

if TYPE_CHECKING:
    from tests.support.ec2 import Ec2Server

__all__ = ["tiny_image", "tiny_store"]


@pytest.fixture(scope="session")
def ec2_server() -> Iterator[Ec2Server]:
    """One simulated EC2 for the whole run, with one guest."""
    from tests.support.ec2 import Ec2Server
    from tests.support.sshd import Sshd

    folder = Path(tempfile.mkdtemp(prefix="ec2-"))
    sshd = Sshd(folder)
    sshd.start()
    made = Ec2Server(sshd)
    yield made
    made.stop()
    sshd.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def ec2(ec2_server: Ec2Server) -> AsyncIterator[Ec2Server]:
    """After the test it has what it had before."""
    before = await asyncio.to_thread(ec2_server.objects)
    yield ec2_server
    assert await asyncio.to_thread(ec2_server.objects) == before

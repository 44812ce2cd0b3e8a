"""A real SSH server for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.guests.ssh import SshGuest, connect
from tests.support.sshd import Sshd, available


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[Sshd]:
    if not available():
        pytest.fail("OpenSSH's server is needed: apt-get install openssh-server")
    folder = tmp_path / "sshd"
    folder.mkdir()
    server = await Sshd(folder).started()
    yield server
    server.stop()


@pytest.fixture
async def guest(sshd: Sshd) -> AsyncIterator[SshGuest]:
    connected = await connect(sshd.endpoint)
    yield connected
    await connected.close()

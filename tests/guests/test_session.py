"""One connection for each guest, opened again when it has broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from core.guests.errors import ConnectionLostError
from core.guests.session import GuestSession, GuestSessions
from core.guests.ssh import SshGuest
from tests.support.sshd import Sshd


@pytest.fixture
async def session(sshd: Sshd) -> AsyncIterator[GuestSession]:
    made = GuestSession(sshd.endpoint)
    yield made
    await made.close()


async def test_everything_goes_over_one_connection(session: GuestSession, sshd: Sshd, tmp_path: Path) -> None:
    first = await session.connection()
    (tmp_path / "f").write_text("x")
    await asyncio.gather(
        session.run("true"), session.run("true"), session.upload(tmp_path / "f", str(tmp_path / "g"))
    )
    await session.download(str(tmp_path / "g"), tmp_path / "h")
    shell = await session.shell(lambda data: None)
    await shell.close()
    assert await session.connection() is first


async def test_callers_at_the_same_time_open_one_connection(session: GuestSession) -> None:
    guests = await asyncio.gather(*(session.connection() for _ in range(5)))
    assert len({id(guest) for guest in guests}) == 1


async def test_a_broken_connection_is_opened_again(session: GuestSession, sshd: Sshd) -> None:
    first = await session.connection()
    sshd.stop()
    await sshd.started()
    assert (await session.run("exit 6")).status == 6
    assert await session.connection() is not first


async def test_a_guest_that_is_gone_is_told_after_one_attempt(session: GuestSession, sshd: Sshd) -> None:
    await session.run("true")
    sshd.stop()
    with pytest.raises(ConnectionLostError):
        await session.run("true")


async def test_a_command_that_was_running_is_not_run_twice(
    session: GuestSession, sshd: Sshd, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    began = asyncio.Event()
    task = asyncio.create_task(
        session.run(f"echo x >>{count}; echo; sleep 600", stdout=lambda data: began.set())
    )
    await began.wait()
    sshd.stop()
    await sshd.started()
    assert (await task).status == -1
    assert count.read_text() == "x\n"


async def test_sessions_are_kept_by_machine_and_dropped(guest: SshGuest, sshd: Sshd) -> None:
    sessions = GuestSessions()
    kept = await sessions.keep("abc", guest)
    assert await kept.connection() is guest
    assert await sessions.session("abc", sshd.endpoint) is kept
    moved = msgspec.structs.replace(sshd.endpoint, port=1)
    assert await sessions.session("abc", moved) is not kept
    assert not guest.alive, "the connection of another endpoint is of no use"
    await sessions.drop("abc")
    await sessions.drop("abc")
    await sessions.close()

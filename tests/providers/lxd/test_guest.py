"""Guests over the server's exec call: commands, shells, transfers, ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.guests.connecting import connect
from core.guests.errors import CommandTimeoutError, ConnectionLostError
from core.guests.remote import RemoteGuest
from core.model.machine import Endpoint
from tests.providers.bench import Machine
from tests.providers.lxd.bench import LxdBench
from tests.support.moments import SOON

pytestmark = pytest.mark.real


@pytest.fixture
async def endpoint(bench: LxdBench, machine: Machine) -> Endpoint:
    began = await (await machine.create()).provider.start(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    return Endpoint(
        communicator=began.communicator, host=began.ssh_host, port=22, user="root", target=began.target
    )


@pytest.fixture
async def guest(endpoint: Endpoint) -> AsyncIterator[RemoteGuest]:
    made = await connect(endpoint)
    yield made
    await made.close()


async def test_commands_shells_and_files(guest: RemoteGuest, tmp_path: Path) -> None:
    # Both outputs apart, the status, the input and its end.
    out, err = bytearray(), bytearray()
    ran = await guest.run(
        'cat; echo "$WHO" >&2; exit 3',
        stdin=b"x" * 700_000,
        stdout=out.extend,
        stderr=err.extend,
        env={"WHO": "it's me"},
    )
    assert (ran.status, len(out), bytes(err)) == (3, 700_000, b"it's me\n")
    assert (await guest.run("kill -9 $$")).status == 137
    # With a terminal the output is still as the program wrote it.
    out.clear()
    assert (await guest.run("[ -t 0 ] && echo terminal", pty=True, stdout=out.extend)).status == 0
    assert bytes(out).strip() == b"terminal"
    assert b"\r" not in out
    # Its status is kept, too, and nothing stays behind of what waits for the output to arrive.
    assert (await guest.run("kill -9 $$", pty=True, stdout=out.extend)).status == 137
    assert bytes(out).strip() == b"terminal"
    # There and back.
    source = tmp_path / "there"
    (source / "deep").mkdir(parents=True)
    (source / "deep/file").write_bytes(bytes(range(256)) * 4000)
    await guest.upload(source, "/tmp/copy/")
    await guest.download("/tmp/copy/there", tmp_path / "back")
    assert (tmp_path / "back/deep/file").read_bytes() == (source / "deep/file").read_bytes()


async def test_what_a_short_command_on_a_terminal_writes_arrives_in_full(guest: RemoteGuest) -> None:
    """LXD before 5.14 loses it, now and then, where the command does not wait."""

    async def said(number: int) -> bytes:
        out = bytearray()
        assert (await guest.run(f"echo {number}", pty=True, stdout=out.extend)).status == 0
        return bytes(out).strip()

    for _ in range(5):
        assert await asyncio.gather(*map(said, range(6))) == [b"%d" % number for number in range(6)]
    await _none_left(guest, "[s]leep 30")


async def _none_left(guest: RemoteGuest, pattern: str) -> None:
    """Until no process like that is there any more: one that is killed takes a moment to go."""
    ran = await guest.run(f"while ps -o args | grep '{pattern}'; do sleep 0.05; done", timeout=SOON)
    assert ran.status == 0


async def test_a_shell_has_a_size_and_can_be_left(guest: RemoteGuest) -> None:
    said = bytearray()
    shell = await guest.shell(said.extend, columns=91, rows=17)
    await shell.write(b"stty size\n")
    await _until(said, b"17 91")
    shell.resize(101, 33)
    # It takes a way of its own, and may come after what is typed next.
    await shell.write(b"until stty size | grep '33 101'; do sleep 0.02; done\n")
    await _until(said, b"\n33 101")
    await shell.write(b"exit 5\n")
    assert (await asyncio.wait_for(shell.wait(), SOON)).status == 5


async def _until(said: bytearray, wanted: bytes) -> None:
    async with asyncio.timeout(SOON):
        while wanted not in said:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_who_does_not_read_holds_the_command_back(guest: RemoteGuest) -> None:
    process = await guest.start(
        "i=0; while [ $i -lt 300 ]; do dd if=/dev/zero bs=64k count=1 2>/dev/null; "
        "i=$((i+1)); echo $i >/tmp/at; done"
    )
    async with asyncio.timeout(SOON):
        before, at = b"", await _at(guest)
        while not at or at != before:
            await asyncio.sleep(0.5)
            before, at = at, await _at(guest)
    assert int(at) < 300, "it waits"
    count = 0
    async with asyncio.timeout(SOON):
        while data := await process.read():
            count += len(data)
    assert count == 300 * 65536
    assert (await process.wait()).status == 0


async def _at(guest: RemoteGuest) -> bytes:
    at = bytearray()
    await guest.run("cat /tmp/at 2>/dev/null", stdout=at.extend)
    return bytes(at)


async def test_a_command_that_takes_too_long_is_ended_with_its_children(guest: RemoteGuest) -> None:
    with pytest.raises(CommandTimeoutError):
        await guest.run("sleep 4321 & sleep 4321", timeout=0.5)
    await _none_left(guest, "[s]leep 4321")


async def test_a_guest_that_goes_ends_what_runs_in_it(
    bench: LxdBench, machine: Machine, endpoint: Endpoint, guest: RemoteGuest
) -> None:
    said = bytearray()
    running = asyncio.create_task(guest.run("echo up; sleep 4321", stdout=said.extend))
    await _until(said, b"up")
    await bench.kill(machine.plan)
    assert (await asyncio.wait_for(running, SOON)).status != 0
    with pytest.raises(ConnectionLostError):
        await guest.run("true")
    with pytest.raises(ConnectionLostError, match="cannot be reached"):
        await connect(endpoint)

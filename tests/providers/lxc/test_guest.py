"""Guests in the namespaces of a container: commands, shells, transfers, ends, and its ports."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.guests.connecting import connect
from core.guests.errors import ConnectionLostError
from core.guests.remote import RemoteGuest
from core.model.machine import Endpoint, WantedPort
from tests.providers.bench import SSH, Machine
from tests.providers.lxc.bench import LxcBench
from tests.providers.lxd.test_guest import (
    endpoint,
    guest,
    test_a_command_that_takes_too_long_is_ended_with_its_children,
    test_a_shell_has_a_size_and_can_be_left,
    test_commands_shells_and_files,
    test_what_a_short_command_on_a_terminal_writes_arrives_in_full,
    test_who_does_not_read_holds_the_command_back,
)
from tests.support.moments import SOON

__all__ = [
    "endpoint",
    "guest",
    "test_a_command_that_takes_too_long_is_ended_with_its_children",
    "test_a_shell_has_a_size_and_can_be_left",
    "test_commands_shells_and_files",
    "test_what_a_short_command_on_a_terminal_writes_arrives_in_full",
    "test_who_does_not_read_holds_the_command_back",
]

pytestmark = pytest.mark.real


async def test_a_container_that_goes_ends_what_runs_in_it(
    bench: LxcBench, machine: Machine, endpoint: Endpoint, guest: RemoteGuest
) -> None:
    said = bytearray()
    running = asyncio.create_task(guest.run("echo up; sleep 4321", stdout=said.extend))
    async with asyncio.timeout(SOON):
        while not said:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await bench.kill(machine.plan)
    assert (await asyncio.wait_for(running, SOON)).status != 0
    with pytest.raises(ConnectionLostError):
        await guest.run("true")
    with pytest.raises(ConnectionLostError, match="does not run"):
        await connect(endpoint)


async def test_ports_lead_to_the_loopback_of_the_container(bench: LxcBench, machine: Machine) -> None:
    ports = (SSH, WantedPort(guest=81, name="nobody"))
    machine.plan = msgspec.structs.replace(machine.plan, ports=ports)
    began = await (await machine.create()).provider.start(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    answering, silent = (forward.host for forward in began.ports)
    assert await _greeting(answering) == b"SSH-2.0-none\n"
    # The next engine carries them, too.
    await machine.provider.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", answering)
    machine.provider = bench.again()
    assert (await machine.seen()).started == began
    assert await _greeting(answering) == b"SSH-2.0-none\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", silent)
    assert await asyncio.wait_for(reader.read(), SOON) == b"", "nobody listens in there"
    writer.close()


async def _greeting(port: int) -> bytes:
    async with asyncio.timeout(SOON):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = await reader.readline()
            writer.close()
            if said:
                return said
            await asyncio.sleep(0.05)

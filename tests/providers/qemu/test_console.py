"""The serial line's sharing, against a socket and a log that behave as QEMU's do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers import serial
from core.providers.qemu.console import Consoles
from core.providers.qemu.layout import Layout
from tests.providers.bench import Plans
from tests.support.moments import SOON


class SerialPort:
    """One client at a time; what is said goes to the socket first, and then into the log."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.heard = bytearray()
        self.clients = 0
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        self._writer = writer
        while data := await reader.read(100):
            self.heard += data
            self.say(data)

    def say(self, data: bytes, *, logged: bool = True) -> None:
        if self._writer:
            self._writer.write(data)
        if logged:
            with self.log.open("ab") as file:
                file.write(data)

    def hang_up(self) -> None:
        if self._writer:
            self._writer.close()


@pytest.fixture
def plan(short_folder: Path) -> MachinePlan:
    made = Plans(short_folder).make()
    layout = Layout.of(made)
    layout.home.mkdir()
    layout.runtime.mkdir(parents=True)
    layout.serial_log.touch()
    return made


@pytest.fixture
async def port(plan: MachinePlan) -> AsyncIterator[SerialPort]:
    layout = Layout.of(plan)
    made = SerialPort(layout.serial_log)
    server = await asyncio.start_unix_server(made.serve, str(layout.serial_socket))
    yield made
    made.hang_up()
    server.close()


@pytest.fixture
async def consoles() -> AsyncIterator[Consoles]:
    made = Consoles()
    yield made
    await asyncio.wait_for(made.close(), SOON)


async def read(opened: serial.SerialConsole, count: int) -> bytes:
    said = b""
    async with asyncio.timeout(SOON):
        while len(said) < count:
            data = await opened.read()
            assert data
            said += data
    return said


async def test_a_console_that_is_closed_at_once_lets_go(
    plan: MachinePlan, port: SerialPort, consoles: Consoles
) -> None:
    for _ in range(3):
        opened = await consoles.open(plan)
        await asyncio.wait_for(opened.close(), SOON)
        assert await opened.read() == b""


async def test_many_look_on_over_one_connection(
    plan: MachinePlan, port: SerialPort, consoles: Consoles
) -> None:
    some = [await consoles.open(plan) for _ in range(5)]
    await some[0].write(b"hello")
    assert [await read(opened, 5) for opened in some] == [b"hello"] * 5
    assert port.clients == 1
    for opened in some:
        await opened.close()
    again = await consoles.open(plan)
    await again.write(b"!")
    assert await read(again, 6) == b"hello!"
    assert port.clients == 2


async def test_a_new_one_begins_with_the_end_of_a_long_past(
    plan: MachinePlan, port: SerialPort, consoles: Consoles
) -> None:
    past = bytes(range(256)) * 1024
    port.say(past)
    opened = await consoles.open(plan)
    assert await read(opened, serial.TAIL) == past[-serial.TAIL :]


async def test_a_log_that_begins_anew_is_followed(
    plan: MachinePlan, port: SerialPort, consoles: Consoles
) -> None:
    port.say(b"an earlier life")
    opened = await consoles.open(plan)
    assert await read(opened, 15) == b"an earlier life"
    await opened.write(b"x")
    await read(opened, 1)
    port.log.write_bytes(b"")
    await opened.write(b"new")
    assert await read(opened, 3) == b"new"


async def test_a_slow_reader_gets_everything(plan: MachinePlan, port: SerialPort, consoles: Consoles) -> None:
    slow, quick = await consoles.open(plan), await consoles.open(plan)
    await quick.write(b"#")
    await read(quick, 1)
    for number in range(1000):
        port.say(b"%03d" % number)
    everything = b"#" + b"".join(b"%03d" % number for number in range(1000))
    assert await read(quick, 3000) == everything[1:]
    assert await read(slow, 3001) == everything


async def test_on_a_full_disk_the_socket_itself_is_shown(
    plan: MachinePlan, port: SerialPort, consoles: Consoles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial, "_full", lambda _path: True)
    some = [await consoles.open(plan) for _ in range(2)]
    await some[0].write(b"a")
    assert [await read(opened, 1) for opened in some] == [b"a", b"a"]
    port.say(b"unlogged", logged=False)
    assert [await read(opened, 8) for opened in some] == [b"unlogged"] * 2


async def test_the_end_of_the_machine_ends_reading_and_writing(
    plan: MachinePlan, port: SerialPort, consoles: Consoles
) -> None:
    opened = await consoles.open(plan)
    await opened.write(b"a")
    await read(opened, 1)
    port.hang_up()
    assert await asyncio.wait_for(opened.read(), SOON) == b""
    with pytest.raises(ProviderError, match="closed"):
        await opened.write(b"b")


async def test_without_a_machine_there_is_no_console(plan: MachinePlan, consoles: Consoles) -> None:
    with pytest.raises(ProviderError) as raised:
        await consoles.open(plan)
    assert "boxwright up" in raised.value.problem.remedy

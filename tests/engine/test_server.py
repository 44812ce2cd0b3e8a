"""The engine's socket: who is let in, and what happens with what is no message of ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.engine import connection
from core.engine.engine import Engine
from core.engine.protocol import (
    MOST_REQUEST,
    PROTOCOL,
    Answer,
    Ask,
    Failed,
    Hello,
    News,
    Reply,
    Request,
    Submit,
    Subscribe,
    Welcome,
    pack,
    raw,
)
from core.engine.server import Server
from core.model.command import Up
from core.model.event import LogGrew
from core.model.query import GetLog, GetMachines
from tests.engine.fakes import key, make_engine
from tests.engine.processes import soon


@pytest.fixture
async def server(engine: Engine) -> AsyncIterator[Server]:
    server = Server(engine)
    await server.start()
    yield server
    await server.close("The test is over.")


class Peer:
    """The other end, which may say anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, path: Path) -> Peer:
        return cls(*await asyncio.open_unix_connection(path))

    async def send(self, *messages: Request) -> None:
        for message in messages:
            self.writer.write(pack(message))
        await self.writer.drain()

    async def receive(self) -> Answer:
        async with asyncio.timeout(30):
            (length,) = struct.unpack(">I", await self.reader.readexactly(4))
            return msgspec.msgpack.decode(await self.reader.readexactly(length), type=Answer)  # type: ignore[no-any-return]

    async def end(self) -> None:
        """Nothing more comes."""
        async with asyncio.timeout(30):
            assert await self.reader.read() == b""
        self.writer.close()


async def greeted(path: Path) -> Peer:
    peer = await Peer.connect(path)
    await peer.send(Hello(PROTOCOL, "1.0"))
    assert isinstance(await peer.receive(), Welcome)
    return peer


async def works(path: Path) -> None:
    """A well-behaved client is served."""
    peer = await greeted(path)
    await peer.send(Ask(7, raw(GetMachines())))
    answer = await peer.receive()
    assert isinstance(answer, Reply)
    assert answer.id == 7
    peer.writer.close()


async def test_the_socket_is_private_and_goes_with_the_server(engine: Engine, server: Server) -> None:
    path = engine.locations.socket
    assert path.stat().st_mode & 0o777 == 0o600
    await works(path)
    await server.close("")
    assert not path.exists()


async def test_it_takes_the_place_of_a_stale_socket(boxwright_home: Path) -> None:
    engine = make_engine(boxwright_home)
    await engine.start()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(engine.locations.socket))
    stale.close()
    server = Server(engine)
    await server.start()
    await works(engine.locations.socket)
    await server.close("")
    await engine.stop()


async def test_a_question_that_comes_when_the_engine_has_just_stopped_ends_the_connection(
    boxwright_home: Path,
) -> None:
    engine = make_engine(boxwright_home)
    await engine.start()
    server = Server(engine)
    await server.start()
    peer = await greeted(engine.locations.socket)
    await engine.stop()
    await peer.send(Ask(7, raw(GetLog(operation="000001"))))
    await peer.end()
    await server.close("")
    assert not [*engine.locations.reports.iterdir()]


async def test_another_user_is_refused(engine: Engine) -> None:
    server = Server(engine, uid=os.getuid() + 1)
    await server.start()
    peer = await Peer.connect(engine.locations.socket)
    answer = await peer.receive()
    assert isinstance(answer, Failed)
    assert answer.problem.what == "This engine belongs to another user."
    await peer.end()
    await server.close("")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_a_real_other_user_is_refused_though_the_folders_are_open(
    engine: Engine, server: Server
) -> None:
    path = engine.locations.socket
    for folder in (path, *path.parents[:3]):
        folder.chmod(0o777)
    ours, its = os.pipe()
    child = os.fork()
    if not child:
        os.setgid(65534)
        os.setuid(65534)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(path))
            os.write(its, peer.recv(4096))
        os._exit(0)
    os.close(its)
    answer = await asyncio.to_thread(os.read, ours, 4096)
    os.close(ours)
    os.waitpid(child, 0)
    assert b"belongs to another user" in answer
    assert b"You are user 65534." in answer


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(min_size=1, max_size=200), st.binary(max_size=60).map(lambda b: _frame(b))))
def test_garbage_ends_that_connection_only(boxwright_home: Path, data: bytes) -> None:
    """Anything before or after the greeting."""

    async def run() -> None:
        engine = make_engine(boxwright_home)
        await engine.start()
        server = Server(engine)
        await server.start()
        path = engine.locations.socket
        for peer in (await Peer.connect(path), await greeted(path)):
            peer.writer.write(data)
            peer.writer.write_eof()
            async with asyncio.timeout(30):
                await peer.reader.read()
            peer.writer.close()
        await works(path)
        assert engine.query(GetMachines()) is not None
        await server.close("")
        await engine.stop()

    asyncio.run(run())


def _frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


async def test_an_oversize_frame_is_refused_before_it_is_read(engine: Engine, server: Server) -> None:
    peer = await greeted(engine.locations.socket)
    peer.writer.write(struct.pack(">I", MOST_REQUEST + 1))
    answer = await peer.receive()
    assert isinstance(answer, Failed)
    assert str(MOST_REQUEST) in answer.problem.why
    await peer.end()
    await works(engine.locations.socket)


async def test_requests_before_the_greeting_are_refused(engine: Engine, server: Server) -> None:
    peer = await Peer.connect(engine.locations.socket)
    await peer.send(Submit(1, raw(Up(machine=key("web")))))
    assert isinstance(await peer.receive(), Failed)
    await peer.end()
    assert engine.busy == 0


async def test_a_client_that_says_nothing_is_not_waited_for_for_ever(
    engine: Engine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HELLO_LIMIT", 0.05)
    peer = await Peer.connect(engine.locations.socket)
    assert isinstance(await peer.receive(), Failed)
    await peer.end()


async def test_an_unknown_command_fails_alone(engine: Engine, server: Server) -> None:
    peer = await greeted(engine.locations.socket)
    await peer.send(Submit(1, raw({"command": "machine.explode"})), Ask(2, raw(GetMachines())))
    first, second = await peer.receive(), await peer.receive()
    assert isinstance(first, Failed)
    assert first.id == 1
    assert "machine.explode" in first.problem.why
    assert isinstance(second, Reply)


async def test_a_bug_in_an_answer_is_reported_and_the_engine_goes_on(
    engine: Engine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = await greeted(engine.locations.socket)

    def broken(_query: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "query", broken)
    await peer.send(Ask(1, raw(GetMachines())))
    answer = await peer.receive()
    assert isinstance(answer, Failed)
    assert Path(answer.problem.report).exists()
    monkeypatch.undo()
    await works(engine.locations.socket)


async def test_a_slow_reader_is_sent_merged_events_and_blocks_nobody(engine: Engine, server: Server) -> None:
    """It reads nothing for 200,000 events; then it gets the newest of each subject."""
    slow = await greeted(engine.locations.socket)
    await slow.send(Subscribe(1, engine.hub.seq))
    await soon(lambda: engine.hub.subscribers)
    for number in range(200_000):
        engine.publish(LogGrew(f"{number % 20:06d}", number))
        if number % 1000 == 0:
            await asyncio.sleep(0)
    (subscription,) = engine.hub._subscriptions
    assert len(subscription) <= 20
    await works(engine.locations.socket)
    latest: dict[str, int] = {}
    received = 0
    while len(latest) < 20 or min(latest.values()) < 199_980:
        news = await slow.receive()
        assert isinstance(news, News)
        for event in msgspec.msgpack.decode(news.events):
            change = event["change"]
            assert change["offset"] > latest.get(change["operation"], -1), "in order"
            latest[change["operation"]] = change["offset"]
            received += 1
    assert received < 100_000, "merged on the way"
    slow.writer.close()


async def test_clients_are_counted(engine: Engine, server: Server) -> None:
    peer = await greeted(engine.locations.socket)
    assert engine.clients == 1
    peer.writer.close()
    await soon(lambda: not engine.clients)

"""Waiting for a guest: what it may answer on the way, and what is said about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.guests import banner
from core.guests.banner import Lookout, Outcome
from core.guests.errors import GuestGoneError, GuestSilentError, HostKeyChangedError, KeyRefusedError
from core.guests.ssh import connect
from core.guests.wait import wait_for_guest
from core.model.machine import Endpoint
from tests.support.sshd import Sshd, free_port, make_key
from tests.support.work import RecordingWork

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def endpoint(port: int) -> Endpoint:
    return Endpoint(host="127.0.0.1", port=port, user="nobody")


@asynccontextmanager
async def server(serve: Serve, port: int = 0) -> AsyncIterator[int]:
    """Something that accepts connections, as a hypervisor's forwarded port does."""
    listening = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def say(data: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await reader.read()
        writer.close()

    return serve


async def test_the_phases_are_noted_with_their_times(sshd: Sshd) -> None:
    work = RecordingWork()
    guest = await wait_for_guest(sshd.endpoint, work=work)
    await guest.close()
    last = work.notes[-1]
    phases = [phase.strip() for phase in last.split("·")]
    assert [phase.rstrip("0123456789. s") for phase in phases] == [
        "process up".rstrip("s "),
        "port open",
        "banner",
        "host key",
        "authenticated",
    ]


async def test_a_guest_that_comes_late_is_found_soon_after_it_answers(sshd: Sshd) -> None:
    """Accepted and closed while the guest starts, as QEMU's forwarded ports are."""
    port = free_port()
    target: list[int] = []

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not target:
            writer.close()
            return
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", target[0])
        await asyncio.gather(_pump(reader, upstream), _pump(upstream_reader, writer))

    async with server(forward, port):
        waiting = asyncio.create_task(
            wait_for_guest(
                Endpoint(
                    host="127.0.0.1",
                    port=port,
                    user=sshd.endpoint.user,
                    identity=sshd.endpoint.identity,
                    known_hosts=str(sshd.known_hosts),
                ),
                work=RecordingWork(),
                timeout=30,
            )
        )
        await asyncio.sleep(1)
        assert not waiting.done()
        target.append(sshd.port)
        began = time.monotonic()
        guest = await waiting
        assert (await guest.run("true")).status == 0
        assert time.monotonic() - began < 1.0
        await guest.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_newer_connections_are_tried_while_older_ones_hang() -> None:
    """Until the guest has a network, a connection may never be heard of."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count == 5:
            writer.write(b"SSH-2.0-late\r\n")
        await reader.read()
        writer.close()

    async with server(serve) as port:
        lookout = Lookout(endpoint(port))
        async with asyncio.timeout(30):
            sock, said = await lookout.banner()
        assert said == b"SSH-2.0-late"
        assert sock.recv(100) == b"SSH-2.0-late\r\n", "the banner is left for the SSH library"
        sock.close()
        assert count < 5 + banner._AT_ONCE


async def test_a_slow_guest_is_given_time_once_it_has_refused() -> None:
    """Logins that are begun and dropped are what a slow guest can least afford."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections > 2:
            await asyncio.sleep(1.5)
            writer.write(b"SSH-2.0-slow\r\n")
            await reader.read()
        writer.close()

    async with server(serve) as port:
        sock, _ = await Lookout(endpoint(port)).banner()
        sock.close()
    assert connections <= 4


async def test_a_guest_that_has_not_come_for_long_is_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that needs seconds for a banner would be kept busy by connections that are dropped before."""
    assert banner.haste(0) == banner.haste(30) == (banner._SCOUT_INTERVAL, banner._SCOUT_PATIENCE)
    minutes = [banner.haste(60 * minute) for minute in range(1, 60)]
    assert minutes == sorted(minutes)
    assert minutes[0] >= (1, 6), "a connection may take as long as several others take to begin"
    assert minutes[-1] == (5, 30), "one that comes late is still found soon"
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await asyncio.sleep(1.5)
        writer.write(b"SSH-2.0-slow\r\n")
        await reader.read()
        writer.close()

    monkeypatch.setattr(banner, "haste", lambda waited: (3600.0, 600.0))
    async with server(serve) as port:
        sock, _ = await Lookout(endpoint(port)).banner()
        sock.close()
    assert connections == 1


async def test_lines_before_the_banner_are_allowed_and_halves_waited_for() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in (b"welcome\r\n", b"S", b"SH-2.0", b"-x\r\n"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.03)
        await reader.read()
        writer.close()

    async with server(serve) as port:
        sock, said = await Lookout(endpoint(port)).banner()
        assert said == b"SSH-2.0-x"
        sock.close()


@pytest.mark.parametrize(
    ("serve", "outcome", "phases"),
    [
        (close_at_once, Outcome.CLOSED, "port open"),
        (hang, Outcome.HUNG, "port open"),
        (say(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 400), Outcome.GARBAGE, "port open"),
        (say(b"\x00\xff" * 4000), Outcome.GARBAGE, "port open"),
    ],
)
async def test_a_guest_that_never_answers_is_told_with_what_was_seen(
    serve: Serve, outcome: Outcome, phases: str
) -> None:
    async with server(serve) as port:
        with pytest.raises(GuestSilentError, match="did not answer") as caught:
            await wait_for_guest(endpoint(port), work=RecordingWork(), timeout=1.3)
    problem = caught.value.problem
    assert outcome.value in problem.why
    assert phases in problem.why
    assert "serial console" in problem.remedy


async def test_a_closed_port_is_told_apart() -> None:
    with pytest.raises(GuestSilentError) as caught:
        await wait_for_guest(endpoint(free_port()), work=RecordingWork(), timeout=0.5)
    assert Outcome.REFUSED.value in caught.value.problem.why
    assert "port open" not in caught.value.problem.why


async def test_an_ssh_server_that_fails_every_login_is_told_apart() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-broken\r\n")
        await reader.read(10)
        writer.close()

    async with server(serve) as port:
        with pytest.raises(GuestSilentError, match="did not answer") as caught:
            await wait_for_guest(endpoint(port), work=RecordingWork(), timeout=1.5)
    assert "no login came to an end" in caught.value.problem.why
    assert "banner" in caught.value.problem.why


async def test_a_machine_that_ends_meanwhile_ends_the_waiting_at_once() -> None:
    died = asyncio.Event()

    async def gone() -> str:
        await died.wait()
        return "QEMU ended with exit status 1"

    async with server(hang) as port:
        waiting = asyncio.create_task(
            wait_for_guest(endpoint(port), work=RecordingWork(), gone=gone, timeout=60)
        )
        await asyncio.sleep(0.2)
        died.set()
        async with asyncio.timeout(3):
            with pytest.raises(GuestGoneError, match="ended while") as caught:
                await waiting
    assert "QEMU ended with exit status 1. Reached: process up · port open" in caught.value.problem.why


async def test_a_refused_key_is_told_after_the_time_of_grace(sshd: Sshd, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    with pytest.raises(KeyRefusedError):
        await wait_for_guest(
            sshd.endpoint, work=RecordingWork(), identities=[str(stranger)], key_grace=0.1, timeout=30
        )


async def test_a_key_that_is_put_in_place_late_is_accepted(sshd: Sshd) -> None:
    lines = sshd.authorized()
    sshd.authorize()
    waiting = asyncio.create_task(wait_for_guest(sshd.endpoint, work=RecordingWork(), timeout=30))
    await asyncio.sleep(0.4)
    assert not waiting.done()
    sshd.authorize(*lines)
    await (await waiting).close()


async def test_a_changed_host_key_ends_the_waiting(sshd: Sshd) -> None:
    await (await connect(sshd.endpoint)).close()
    sshd.stop()
    sshd.new_host_key()
    await sshd.started()
    with pytest.raises(HostKeyChangedError):
        await wait_for_guest(sshd.endpoint, work=RecordingWork(), timeout=30)


async def test_cancelling_leaves_no_connection_behind() -> None:
    open_now: set[asyncio.StreamWriter] = set()
    many, none = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        if len(open_now) > 1:
            many.set()
        await reader.read()
        writer.close()
        open_now.remove(writer)
        if not open_now:
            none.set()

    async with server(serve) as port:
        waiting = asyncio.create_task(wait_for_guest(endpoint(port), work=RecordingWork(), timeout=60))
        await many.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(30):
            await none.wait()

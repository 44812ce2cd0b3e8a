"""A console's session: order of bytes, a guest that is held back, the end and the way back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from core.errors import BoxwrightError
from tests.support.sshd import Sshd, available
from tests.support.waiting import until
from tui.console import turns
from tui.console.link import End, Guests, Output, ShellLink
from tui.console.mouse import Tracking
from tui.console.session import Session, SessionState


class Wire:
    """A link in memory."""

    caption = ""
    ready = True
    coming = False
    gone = False

    def __init__(self) -> None:
        self.output: Output = lambda data: None
        self.sent = b""
        self.paused = False
        self.pauses = 0
        self.sizes: list[tuple[int, int]] = []
        self.end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self.refuse: BoxwrightError | None = None
        self.gate: asyncio.Event | None = None

    async def open(self, output: Output, columns: int, rows: int) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.refuse is not None:
            raise self.refuse
        self.output = output
        self.sizes.append((columns, rows))

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.sent += data

    def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False

    async def ended(self) -> End:
        return await self.end

    async def close(self) -> None:
        pass


async def opened(wire: Wire) -> Session:
    session = Session(lambda: wire, "Shell 1")
    session.start(40, 10)
    await until(lambda: session.state is SessionState.OPEN)
    return session


def rows(session: Session) -> list[str]:
    assert session.screen is not None
    session.screen.changes()
    return ["".join(text for text, _ in session.screen.row(y)).rstrip() for y in range(session.screen.rows)]


def first_row(session: Session) -> str:
    return rows(session)[0]


async def test_output_is_shown_and_input_arrives_in_order() -> None:
    wire = Wire()
    session = await opened(wire)
    changes = 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    session.changed = changed
    wire.output(b"hello")
    assert first_row(session) == "hello", "the first output is parsed at once"
    assert changes == 1
    for number in range(100):
        session.send(b"%d," % number)
    await until(lambda: wire.sent.count(b",") == 100)
    assert wire.sent == b"".join(b"%d," % number for number in range(100))
    await session.close()


async def test_what_is_typed_while_it_connects_is_not_lost() -> None:
    wire = Wire()
    wire.gate = asyncio.Event()
    session = Session(lambda: wire, "Shell 1")
    session.start(40, 10)
    session.send(b"early ")
    await asyncio.sleep(0)
    session.send(b"bird")
    wire.gate.set()
    await until(lambda: wire.sent == b"early bird")
    await session.close()


async def test_reports_are_answered() -> None:
    wire = Wire()
    session = await opened(wire)
    wire.output(b"\x1b[6n")
    await until(lambda: wire.sent == b"\x1b[1;1R")
    await session.close()


async def test_a_slow_parser_holds_the_guest_back_and_never_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    session = await opened(wire)
    screen = session.screen
    assert screen is not None
    fed = bytearray()

    def slow(data: bytes) -> None:
        time.sleep(0.003)
        fed.extend(data)

    monkeypatch.setattr(screen, "feed", slow)
    longest = 0.0
    flood = b"".join(b"%07d\n" % number for number in range(40_000))
    for start in range(0, len(flood), 32_768):
        wire.output(flood[start : start + 32_768])
    assert wire.paused
    while len(fed) < len(flood):
        before = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - before)
        await asyncio.sleep(0.001)
    assert bytes(fed) == flood, "nothing is lost, nothing changes places"
    assert longest < 0.1
    await until(lambda: not wire.paused)
    await session.close()


async def test_the_end_says_why_and_enter_would_connect_again() -> None:
    wires: list[Wire] = []

    def link() -> Wire:
        wires.append(Wire())
        return wires[-1]

    session = Session(link, "Shell 1")
    session.start(40, 10)
    await until(lambda: session.state is SessionState.OPEN)
    wires[0].output(b"before")
    wires[0].end.set_result(End("The shell has ended.", False))
    await until(lambda: session.state is SessionState.CLOSED)
    assert session.why == "The shell has ended."
    session.send(b"lost")
    session.start(40, 10)
    await until(lambda: session.state is SessionState.OPEN)
    wires[1].output(b"after")
    assert rows(session)[:2] == ["before", "after"], "what was on the screen stays"
    assert wires[1].sent == b""
    await session.close()


@pytest.mark.parametrize(
    "cut", ["ä".encode()[:1], "世".encode()[:2], b"\x1b[3", b"\x1b]0;half a ti", b"\x1bP1$"]
)
async def test_a_connection_that_ends_in_the_middle_of_something_leaves_the_next_one_whole(
    cut: bytes,
) -> None:
    wires: list[Wire] = []

    def link() -> Wire:
        wires.append(Wire())
        return wires[-1]

    session = Session(link, "Shell 1")
    session.start(40, 10)
    await until(lambda: session.state is SessionState.OPEN)
    wires[0].output(b"before" + cut)
    wires[0].end.set_result(End("The guest has gone.", False))
    await until(lambda: session.state is SessionState.CLOSED)
    session.start(40, 10)
    await until(lambda: session.state is SessionState.OPEN)
    wires[1].output("é after 世界".encode())
    assert "é after 世界" in rows(session)
    await session.close()


async def test_a_link_that_does_not_open_tells_its_problem() -> None:
    wire = Wire()
    wire.refuse = BoxwrightError("No connection.", why="Refused.", remedy="boxwright up web")
    session = Session(lambda: wire, "Shell 1")
    session.start(40, 10)
    await until(lambda: session.state is SessionState.CLOSED)
    assert session.problem is not None
    assert session.problem.remedy == "boxwright up web"
    await session.close()


async def test_a_size_that_changed_while_connecting_is_told_afterwards() -> None:
    wire = Wire()
    wire.gate = asyncio.Event()
    session = Session(lambda: wire, "Shell 1")
    session.start(40, 10)
    await asyncio.sleep(0)
    session.resize(60, 20)
    wire.gate.set()
    await until(lambda: session.state is SessionState.OPEN)
    assert wire.sizes == [(40, 10), (60, 20)]
    session.resize(60, 20)
    assert wire.sizes[-1] == (60, 20)
    assert len(wire.sizes) == 2, "the same size is not told twice"
    await session.close()


async def test_a_bell_rings_until_somebody_looks() -> None:
    wire = Wire()
    session = await opened(wire)
    wire.output(b"\x07\x1b]2;vim\x07")
    assert session.rang
    assert session.title == "vim"
    await session.close()


# Against a real server.


@pytest.fixture
async def server(tmp_path: Path):  # type: ignore[no-untyped-def]
    assert available(), "openssh-server is needed"
    running = await Sshd(tmp_path).started()
    yield running
    running.stop()


def text(session: Session) -> str:
    return session.screen.text() if session.screen else ""


@pytest.mark.real
async def test_a_real_shell(server: Sshd) -> None:
    guests = Guests()
    session = Session(lambda: ShellLink(guests, "web", lambda: server.endpoint), "Shell 1")
    session.start(80, 24)
    await until(lambda: session.state is SessionState.OPEN)
    session.send(b"stty size; echo done-$((6*7))\r")
    await until(lambda: "done-42" in text(session))
    assert "24 80" in text(session)
    session.resize(100, 30)
    session.send(b"stty size\r")
    await until(lambda: "30 100" in text(session))
    session.send(b"exit 3\r")
    await until(lambda: session.state is SessionState.CLOSED)
    assert session.why == "The shell has ended with status 3."
    await session.close()
    await guests.close()


@pytest.mark.real
async def test_control_c_ends_a_flood_at_once_and_two_shells_share_a_connection(server: Sshd) -> None:
    guests = Guests()
    flood = Session(lambda: ShellLink(guests, "web", lambda: server.endpoint), "Shell 1")
    other = Session(lambda: ShellLink(guests, "web", lambda: server.endpoint), "Shell 2")
    for session in (flood, other):
        session.start(80, 24)
        await until(lambda session=session: session.state is SessionState.OPEN)  # type: ignore[misc]
    assert len(guests._open) == 1
    flood.send(b"yes\r")
    await until(lambda: text(flood).count("y\n") > 20)
    other.send(b"echo alive-$((1+1))\r")
    await until(lambda: "alive-2" in text(other))
    begin = time.perf_counter()
    flood.send(b"\x03")
    flood.send(b"echo stopped-$((2+2))\r")
    await until(lambda: "stopped-4" in text(flood))
    assert time.perf_counter() - begin < 5
    await flood.close()
    await other.close()
    await guests.close()


@pytest.mark.real
async def test_a_guest_that_comes_back_is_reached_again(server: Sshd) -> None:
    guests = Guests()
    session = Session(lambda: ShellLink(guests, "web", lambda: server.endpoint), "Shell 1")
    session.start(80, 24)
    await until(lambda: session.state is SessionState.OPEN)
    session.send(b"echo before-$((1+1)); printf '\\033[?1000h\\033[?1049hfull \\344\\270'\r")
    assert session.screen is not None
    await until(lambda: session.screen is not None and session.screen.alternate)
    server.stop()
    await until(lambda: session.state is SessionState.WAITING)
    assert session.why == "The connection is broken."
    session.send(b"lost")
    await server.started()
    await until(lambda: session.state is SessionState.OPEN)
    session.send(b"echo after-$((2+2))\r")
    await until(lambda: "after-4" in text(session))
    assert "before-2" in text(session), "the half character and the full screen are gone, the rest stays"
    assert session.screen.modes.mouse.tracking is Tracking.OFF
    await session.close()
    await guests.close()


def test_the_budget_leaves_room_for_frames() -> None:
    assert turns.BUDGET < 1 / 60

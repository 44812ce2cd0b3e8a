"""Tabs of consoles: those of machines that are not up, their names, and how one goes past them."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest

from core.model.machine import MachineState
from tests.support.fake_client import SHOP, FakeClient
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.tui.conftest import Driver, Start
from tui.console import status
from tui.console.link import End, Output
from tui.console.session import Session
from tui.keys import Keymap, spoken
from tui.look.signs import ASCII

WEB = f"{SHOP}:web"
LEAVE = "ctrl+right_square_bracket"


def key(id: str) -> str:
    """The usual one."""
    return spoken(KEYMAP.key(id))


KEYMAP = Keymap()


def become(world: FakeClient, state: MachineState, **more: object) -> None:
    world.machine(msgspec.structs.replace(world.machines[WEB], state=state, **more))


def shown(driver: Driver, id: str) -> bool:
    return driver.bench.detail.active == id


async def closed(driver: Driver) -> None:
    async with asyncio.timeout(60):
        while driver.bench.consoles.all:  # noqa: ASYNC110 - a test looks in from outside
            await asyncio.sleep(0.01)


async def test_the_shell_of_a_machine_that_is_not_up_can_be_left_and_closed(
    start: Start, world: FakeClient
) -> None:
    become(world, MachineState.STARTING, endpoint=None)
    async with start(size=(80, 24)) as driver:
        driver.bench.actions.opening.shell(driver.bench.choice)
        await driver.wait_for("The machine does not run yet.")
        await driver.wait_for("ctrl+] leaves")
        await driver.press("u")
        assert driver.world.submitted == []
        await driver.press(LEAVE)
        await driver.wait_for("w closes it")
        assert driver.bench.detail.console.has_focus
        await driver.press("w")
        await closed(driver)


@pytest.mark.real
async def test_a_shell_opened_while_the_machine_starts_connects_by_itself(
    start: Start, world: FakeClient, tmp_path: Path
) -> None:
    server = Sshd(tmp_path / "guest")
    await server.started()
    endpoint = server.endpoint
    server.stop()
    # It has its place already, but does not answer there yet.
    become(world, MachineState.STARTING, endpoint=endpoint)
    try:
        async with start() as driver:
            driver.bench.actions.opening.shell(driver.bench.choice)
            await driver.wait_for("No SSH connection")
            await server.started()
            become(world, MachineState.RUNNING, endpoint=server.endpoint)
            await driver.wait_for("every other key")
    finally:
        server.stop()


async def test_no_two_tabs_have_one_name(start: Start, world: FakeClient) -> None:
    become(world, MachineState.STARTING, endpoint=None)
    async with start() as driver:
        opening = driver.bench.actions.opening
        consoles = driver.bench.consoles
        for _ in range(3):
            opening.shell(driver.bench.choice)
            await driver.settle()
        await driver.bench.detail.close_console(consoles.all[0].id)
        opening.shell(driver.bench.choice)
        await driver.wait_for("Shell 1")
        assert [console.session.title for console in consoles.all] == ["Shell 2", "Shell 3", "Shell 1"]
        for console in consoles.all:
            if console.session.screen is not None:
                console.session.screen.feed(b"\x1b]2;top\x07")
        assert len({console.session.title for console in consoles.all}) == 3


async def test_going_along_the_tabs_goes_past_a_console(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("c")
        await driver.wait_for("every other key")
        (console,) = driver.bench.consoles.all
        await driver.press(LEAVE, "left_square_bracket", "right_square_bracket")
        await driver.wait_for("enter types")
        await driver.press("right_square_bracket")
        await driver.settle()
        assert driver.bench.detail.active == "snapshots"
        assert bytes(world.serials[-1].written) == b""
        await driver.press("left_square_bracket", "enter", "x")
        await driver.wait_for("every other key")
        assert driver.bench.detail.active == console.id


async def test_the_other_side_is_not_typed_in_by_itself(start: Start, world: FakeClient) -> None:
    become(world, MachineState.RUNNING)
    async with start() as driver:
        await driver.press("c")
        await driver.wait_for("every other key")
        driver.bench.actions.opening.shell(driver.bench.choice)
        await driver.settle()
        await driver.press(LEAVE)
        serial = next(one.session for one in driver.bench.consoles.all if one.session.name == "Serial")
        serial.rang = True
        await driver.press("vertical_line")
        assert not serial.rang, "it is in sight now"
        await driver.press("o")
        assert not driver.bench.detail.console.keyboard.typing
        assert driver.bench.detail.console.session.name == "Serial"
        await driver.press("enter")
        assert driver.bench.detail.console.keyboard.typing


class Echo:
    """A guest that is there at once and keeps what is typed."""

    caption, ready, coming, gone = "", True, False, False

    def __init__(self) -> None:
        self.written = b""
        self.over = asyncio.Event()

    def again(self) -> Echo:
        """The only connection that there is."""
        return self

    async def open(self, output: Output, columns: int, rows: int) -> None:
        pass

    async def write(self, data: bytes) -> None:
        self.written += data

    def resize(self, columns: int, rows: int) -> None:
        pass

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    async def ended(self) -> End:
        await self.over.wait()
        return End("The shell has ended.", False)

    async def close(self) -> None:
        pass


async def connected(*names: str) -> tuple[list[Session], list[Echo]]:
    links = [Echo() for _ in names]
    sessions = [Session(link.again, "Shell 1", owner=name) for link, name in zip(links, names, strict=True)]
    for session in sessions:
        session.start(80, 24)
    await until(lambda: all(session.connected for session in sessions))
    return sessions, links


async def test_floods_of_all_that_were_typed_to_make_way_once_they_are_left() -> None:
    sessions, _links = await connected("web", "db", "img")
    group = sessions[:2]
    for session in group:
        session.group = group
    sessions[0].type([b"y"])
    now = time.perf_counter()
    for session in sessions:
        session.flood.took(1 << 20, now)
    sessions[0].turned_from()
    assert [session.flood.slowed(now) for session in sessions] == [True, True, False]
    await asyncio.gather(*(session.close() for session in list(sessions)))


async def test_a_broadcast_reaches_connected_shells_of_the_machines_listed_and_names_them(
    start: Start,
) -> None:
    async with start() as driver:
        consoles = driver.bench.consoles
        sessions, links = await connected("web", "web", "db", "img")
        places = (WEB, WEB, f"{SHOP}:db", "build:/elsewhere:img")
        for number, (session, place) in enumerate(zip(sessions, places, strict=True)):
            consoles._add(f"shell-{number}", place, session)
        sessions[1].name = "Shell 2"
        links[2].over.set()
        await until(lambda: not sessions[2].connected)
        driver.bench.on_console_area_to_all()
        assert consoles.group == sessions[:2]
        told = status.line(sessions[0], status.Situation(focused=True, typing=True, key=key), ASCII)
        assert told[0][0] == "BROADCAST to 2: web (Shell 1, Shell 2)  "
        # One that ends while it takes part is out.
        links[1].over.set()
        await until(lambda: sessions[1] not in consoles.group)
        sessions[0].type([b"x"])
        await driver.settle()
        assert [link.written for link in links] == [b"x", b"", b"", b""]


async def test_machines_of_one_name_in_two_projects_are_told_apart() -> None:
    sessions, _ = await connected("web", "web")
    for session, project in zip(sessions, (SHOP, "/home/ada/blog"), strict=True):
        session.project, session.group = project, sessions
        session.peers = lambda: sessions
    seen = status.Situation(focused=True, typing=True, key=key, named=True)
    told = "".join(text for text, _ in status.line(sessions[0], seen, ASCII))
    assert "shop/web" in told and "BROADCAST to 2: blog/web and shop/web" in told


@pytest.mark.parametrize("width", [20, 40, 60, 80])
@pytest.mark.parametrize("typing", [True, False])
async def test_however_little_room_there_is_the_line_says_how_one_gets_on(width: int, typing: bool) -> None:
    sessions, _ = await connected("a-machine-with-a-name", "another-with-a-longer-name")
    sessions[0].group = sessions[1].group = sessions
    seen = status.Situation(focused=True, typing=typing, key=key, named=True, width=width)
    told = status.line(sessions[0], seen, ASCII)
    assert sum(len(text) for text, _ in told) <= width
    assert told[-2:] == (
        [("ctrl+]", "!accent"), (" leaves", "muted")] if typing else [("esc", "!accent"), (" lists", "muted")]
    )


@pytest.mark.parametrize("focused", [True, False])
async def test_the_keys_below_a_console_are_the_users_own(focused: bool) -> None:
    sessions, _ = await connected("web")
    keymap = Keymap(
        {"console.type": "f6", "workbench.back": "f7", "workbench.close-tab": "", "workbench.open": "f8"}
    )
    seen = status.Situation(focused=focused, typing=False, key=lambda id: spoken(keymap.key(id)))
    told = "".join(text for text, _ in status.line(sessions[0], seen, ASCII))
    assert told.endswith("f6 types  f7 goes to the lists" if focused else "f8 comes here")


async def test_a_broadcast_that_nobody_hears_fits_beside_what_one_can_do() -> None:
    sessions, _ = await connected("tiny")
    sessions[0].group = sessions
    seen = status.Situation(focused=False, typing=True, key=key, named=True, width=78)
    told = "".join(text for text, _ in status.line(sessions[0], seen, ASCII))
    assert told == "tiny | Shell 1  broadcast, with nobody else yet  enter comes here  w closes it"


async def test_closing_a_tab_goes_to_the_next_one_that_is_open(start: Start, world: FakeClient) -> None:
    become(world, MachineState.STARTING, endpoint=None)
    async with start(size=(80, 24)) as driver:
        opening, consoles = driver.bench.actions.opening, driver.bench.consoles
        for _ in range(3):
            opening.shell(driver.bench.choice)
            await driver.settle()
        first, second, third = consoles.all
        driver.bench.detail.activate(second.id)
        driver.bench.focus_detail()
        await driver.settle()
        for following in (third, first):
            await driver.press(LEAVE, "w")
            await until(partial(shown, driver, following.id))
            await driver.settle()
            assert driver.bench.detail.console.has_focus
        await driver.press("w")
        await closed(driver)
        assert driver.bench.focused is driver.bench.lists.machines


async def test_one_key_closes_all_shells_of_a_machine_that_was_destroyed(
    start: Start, world: FakeClient
) -> None:
    become(world, MachineState.STARTING, endpoint=None)
    async with start() as driver:
        opening, consoles = driver.bench.actions.opening, driver.bench.consoles
        for _ in range(3):
            opening.shell(driver.bench.choice)
            await driver.settle()
        become(world, MachineState.ABSENT)
        await until(lambda: all(console.session.over for console in consoles.all))
        # It is brought back: what was open does not know of that.
        become(world, MachineState.STOPPED)
        await driver.settle()
        assert len(consoles.all) == 3
        await driver.press(LEAVE, "w")
        await closed(driver)


async def test_where_a_recording_is_can_be_read_and_copied(
    start: Start, world: FakeClient, boxwright_home: Path
) -> None:
    async with start(size=(120, 40)) as driver:
        await driver.press("c")
        await driver.wait_for("every other key")
        await driver.press(LEAVE, "m", "m")
        await driver.wait_for("Recorded: ")
        (cast,) = (boxwright_home / "recordings").glob("*.cast")
        assert cast.name in driver.text
        await driver.press("y")
        await driver.wait_for("Copied")
        assert driver.app.clipboard == str(cast)

"""Consoles that flood share the time: who goes first, and what a flood that goes on is slowed to."""

from __future__ import annotations

import asyncio
import time

from tests.support.waiting import until
from tui.console.turns import Flood, Turns


def flooded(seconds: float, start: float = 100.0) -> Flood:
    """Ten megabytes a second from ``start`` on."""
    flood = Flood()
    for number in range(int(seconds * 100)):
        flood.took(100_000, start + number / 100)
    return flood


def test_a_long_answer_is_no_flood_that_goes_on() -> None:
    assert not flooded(1.4).slowed(101.4)


def test_a_flood_that_goes_on_is_slowed_until_it_is_over() -> None:
    flood = flooded(4.0)
    assert flood.slowed(104.0)
    flood.took(10, 104.2)
    assert flood.slowed(104.3), "much came until now"
    flood.took(10, 104.8)
    assert not flood.slowed(104.8)


def test_silence_ends_a_flood() -> None:
    assert not flooded(4.0).slowed(105.5)


def test_a_little_that_goes_on_is_no_flood() -> None:
    flood = Flood()
    for number in range(1000):
        flood.took(1000, 100 + number / 100)
    assert not flood.slowed(110.0)


def test_a_guest_is_heard_out_after_a_key() -> None:
    flood = flooded(4.0)
    flood.listen(104.0)
    assert not flood.slowed(104.1)
    flood.listen(102.0)
    assert flood.slowed(104.1)


def test_a_long_answer_is_a_flood_once_nobody_looks_any_more() -> None:
    flood = flooded(0.3)
    flood.listen(100.3)
    flood.leave(100.3)
    assert flood.slowed(100.3)
    flood.took(100_000, 100.6)
    assert flood.slowed(100.6)
    flood.listen(100.6)
    assert not flood.slowed(100.7)


def test_whoever_watches_a_long_answer_gets_it_at_full_speed() -> None:
    flood = Flood()
    flood.listen(100.0)
    for number in range(400):
        flood.took(100_000, 100 + number / 100)
    assert not flood.slowed(104.0)
    for number in range(400, 800):
        flood.took(100_000, 100 + number / 100)
    assert flood.slowed(108.0), "it does not end"


def test_a_flood_in_a_console_that_was_left_is_one_at_once() -> None:
    flood = Flood()
    flood.leave(100.0)
    for number in range(110):
        flood.took(100_000, 100 + number / 100)
    assert flood.slowed(101.1)


def test_who_leaves_a_prompt_leaves_no_flood() -> None:
    flood = Flood()
    flood.took(1000, 100.0)
    flood.leave(100.1)
    assert not flood.slowed(100.1)


class Reader:
    def __init__(self, name: str, served: list[str], pieces: int) -> None:
        self.name, self.served, self.pieces = name, served, pieces
        self.flood = Flood()

    def parse(self, seconds: float) -> bool:
        self.served.append(self.name)
        self.pieces -= 1
        return self.pieces > 0


async def test_all_get_their_turn_and_who_was_typed_to_goes_first() -> None:
    served: list[str] = []
    turns = Turns()
    readers = [Reader(name, served, 4) for name in "abc"]
    for reader in readers:
        turns.arrived(reader)
    readers[2].flood.listen(time.perf_counter())
    async with asyncio.timeout(10):
        while len(served) < 12:  # noqa: ASYNC110 - a test looks in from outside
            await asyncio.sleep(0.001)
    assert served[:6] == ["a", "b", "c", "c", "c", "c"]
    assert served[6:] == ["a", "b"] * 3


async def test_one_that_leaves_is_not_asked_again() -> None:
    served: list[str] = []
    turns = Turns()
    reader = Reader("a", served, 3)
    turns.arrived(reader)
    turns.leave(reader)
    await asyncio.sleep(0.02)
    assert served == ["a"]


def test_a_turn_that_a_loop_has_not_given_any_more_keeps_nobody_else_waiting() -> None:
    served: list[str] = []
    turns = Turns()

    async def left() -> None:
        reader = Reader("a", served, 3)
        turns.arrived(reader)
        turns.leave(reader)

    async def stays() -> None:
        turns.arrived(Reader("b", served, 3))
        await until(lambda: served == ["a", "b", "b", "b"])

    asyncio.run(left())
    asyncio.run(stays())

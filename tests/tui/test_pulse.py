"""What a machine uses now: measured only while somebody looks, and drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.machine import MachineState, Stats
from tests.support.fake_client import SHOP, FakeClient, machine
from tests.tui.conftest import Start
from tui.look.signs import ASCII, UNICODE
from tui.views.pulse import Rates, lines, sparkline

RATES = Rates(cpu=0.5, memory=64 << 20, read=0.0, written=2048.0, received=0.0, sent=0.0)


def stats(time: float, cpu: float, **more: int) -> Stats:
    return Stats(time=time, cpu_seconds=cpu, memory=64 << 20, **more)


def text(rates: list[Rates], **more: object) -> str:
    web = machine("web", MachineState.RUNNING)
    return "\n".join("".join(part for part, _ in line) for line in lines(rates, web, width=80, **more))  # type: ignore[arg-type]


def test_each_figure_has_its_line_and_network_only_where_it_is_counted() -> None:
    said = text([RATES, RATES], signs=UNICODE)
    assert "CPU" in said and "50%" in said
    assert "64.0 MiB of " in said
    assert "2.0 KiB/s written" in said
    assert "Network" not in said
    assert text([], signs=UNICODE) == ""
    assert all(ord(letter) < 128 for letter in text([RATES] * 3, signs=ASCII))


@given(st.lists(st.floats(0, 1e12)), st.floats(0.001, 1e12))
def test_a_sparkline_has_a_character_for_each_value(values: list[float], full: float) -> None:
    drawn = sparkline(values, full, UNICODE.levels)
    assert len(drawn) == len(values)
    assert set(drawn) <= set(UNICODE.levels)


async def test_only_what_is_looked_at_is_measured(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        driver.bench.detail._tick()
        await driver.settle()
        before = world.measured
        assert driver.bench.choice.machine.state is MachineState.RUNNING
        world.stats_of = [stats(1.0, 1.0), stats(2.0, 1.5, disk_written=4096)]
        for _ in range(2):
            driver.bench.detail._tick()
            await driver.settle()
        await driver.wait_for("4.0 KiB/s written")
        await driver.wait_for("50%")
        assert world.measured > before
        await driver.press("right_square_bracket")
        seen = world.measured
        driver.bench.detail._tick()
        await driver.settle()
        assert world.measured == seen


async def test_figures_begin_anew_when_the_machine_was_started_anew(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        world.stats_of = [stats(1.0, 9.0), stats(2.0, 9.5), stats(3.0, 0.1)]
        for _ in range(3):
            driver.bench.detail._tick()
            await driver.settle()
        web = driver.bench.choice.machine
        assert driver.bench.detail._live.pulse.rates(web) == []


@pytest.mark.parametrize("project", [SHOP])
async def test_without_figures_nothing_is_shown(start: Start, world: FakeClient, project: str) -> None:
    async with start(project=project) as driver:
        driver.bench.detail._tick()
        await driver.settle()
        assert "CPU  " not in driver.text
        assert driver.bench.detail._live.pulse.why


def test_a_process_that_takes_more_than_its_guest_has_says_so() -> None:
    from tui.views.pulse import _memory

    assert _memory(50 << 20, 128 << 20) == "50.0 MiB of 128 MiB"
    assert _memory(269 << 20, 128 << 20) == "269 MiB with the emulator's own"

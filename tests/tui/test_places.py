"""What belongs to logs and consoles is found from everywhere, and says why where it is not possible."""

from __future__ import annotations

import msgspec
from textual.widgets import Input

from core.model.operation import StepState
from tests.support.fake_client import SHOP, FakeClient, machine
from tests.tui.conftest import Start
from tui import settings
from tui.look.lines import cut_details


async def test_the_palette_has_the_commands_of_consoles_grey_with_the_reason(start: Start) -> None:
    async with start() as driver:
        await driver.press("ctrl+p")
        await driver.type("console split")
        await driver.wait_for("The keys are not in a console")
        await driver.press("enter")
        await driver.wait_for("Split: The keys are not in a console: s opens one")


async def test_the_palette_of_a_log_begins_with_what_it_can_do(start: Start) -> None:
    async with start() as driver:
        await driver.press("l")
        await driver.wait_for("[Log]")
        await driver.press("ctrl+p")
        await driver.wait_for("log fold all")
        await driver.type("log wrap")
        await driver.press("enter")
        assert driver.bench.place == "log"
        assert driver.bench.detail.log_view.reader.wrapped


async def test_the_prompt_takes_what_only_the_workbench_does_and_gives_the_keys_back(start: Start) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("console.sp")
        await driver.wait_for("console.split  The keys are not in a console")
        await driver.press("tab", "enter")
        await driver.wait_for("Split: The keys are not in a console")
        await driver.press("l")
        await driver.wait_for("[Log]")
        await driver.press("colon")
        await driver.type("log.wra")
        await driver.wait_for("log.wrap  Wrap long lines.")
        await driver.press("tab", "enter")
        assert driver.bench.place == "log"
        assert driver.bench.detail.log_view.reader.wrapped


async def test_a_build_that_has_not_failed_says_so(start: Start) -> None:
    async with start() as driver:
        await driver.press("3", "a")
        await driver.wait_for("has not failed, and asks nothing")
        assert driver.bench.choice.operation is None or driver.bench.choice.operation.state is StepState.DONE


async def test_with_reduced_motion_no_cursor_blinks(start: Start) -> None:
    settings.remember(settings.file(), "reduced_motion", True)
    async with start() as driver:
        assert driver.app.look.terminal.frames == 4
        await driver.press("slash")
        assert driver.bench.query_one(Input).cursor_blink is False


def test_of_details_that_do_not_fit_no_single_letters_are_left() -> None:
    text = "▰▱▱▱▱ 38%  Provision 1/2"
    assert cut_details(text, 13) == "▰▱▱▱▱ 38%"
    assert cut_details(text, 20) == "▰▱▱▱▱ 38%  Provisio…"
    assert cut_details("Provision", 4) == "Pro…"


async def test_the_prompt_says_why_something_is_not_possible_of_the_machine_that_is_named(
    start: Start,
) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("suspend")
        await driver.wait_for("Save the machine's memory")
        await driver.type(" cache")
        await driver.wait_for("suspend  cache is stopped, not running.")


async def test_where_there_is_nothing_the_next_key_is_named(start: Start, world: FakeClient) -> None:
    view = world.projects[SHOP]
    world.projects[SHOP] = msgspec.structs.replace(view, builds=())
    async with start() as driver:
        await driver.wait_for("No build in this project.")
        assert "E opens its file" in driver.text
        await driver.press("2", "slash")
        await driver.type("nowhere")
        await driver.press("enter")
        await driver.wait_for("nothing matches   esc shows all")
        await driver.press("escape", "slash")
        await driver.type("(")
        await driver.press("enter")
        await driver.wait_for("nothing has ( in it, which is no regular")
        await driver.press("escape")
        await driver.wait_for("debian/bookworm64")


async def test_without_any_provider_the_way_to_one_is_named(start: Start, world: FakeClient) -> None:
    world.probes = tuple(msgspec.structs.replace(probe, usable=False) for probe in world.probes)
    world.machines.clear()
    async with start() as driver:
        await driver.press("enter")
        await driver.wait_for("Nothing here can run machines.")
        assert "doctor says of each what is missing" in driver.text


async def test_where_the_mouse_rests_it_is_told_what_that_is(start: Start, world: FakeClient) -> None:
    world.machines[f"{SHOP}:api"] = machine("api-of-the-shop-at-the-other-end")
    async with start(size=(120, 40)) as driver:
        bench = driver.bench
        # What is told would cover what is looked for next.
        driver.app.TOOLTIP_DELAY = 3600.0

        async def told(selector: str, text: str, ahead: int = 0) -> str:
            widget = driver.app.screen.query_one(selector)
            top, left = widget.region.y, widget.region.x
            rows = [row[left : widget.region.right] for row in driver.frame()[top : widget.region.bottom]]
            y = next(number for number, row in enumerate(rows) if text in row)
            await driver.pilot.hover(selector, offset=(rows[y].index(text) + ahead, y))
            await driver.settle()
            return str(widget.tooltip or "")

        assert "what its provider says" not in await told("#machines", "NAME")
        assert "as its provider says" in await told("#machines", "STATE")
        assert await told("#machines", "web", -2) == "Running."
        assert "provider: qemu" in await told("#machines", "web"), "that column has no room"
        assert "name: api-of-the-shop-at-the-other-end" in await told("#machines", "api-of-the-")
        assert await told("#header", "qemu") != ""
        assert "not usable here" in await told("#header", "virtualbox")
        assert "Machines of all projects that run" in await told("#header", "running")
        await driver.press("down")
        while "[Steps]" not in driver.text or bench.detail.choice.title != "db":
            await driver.press("down")
        assert "Under way." in await told("#steps", driver.app.look.signs.busy)
        assert "Under way." in await told("#tabs", driver.app.look.signs.busy)


async def test_what_is_said_of_a_line_stays_while_it_is_typed(start: Start) -> None:
    async with start() as driver:
        bench = driver.bench
        await driver.press("comma")
        await driver.press("colon")
        await driver.type("sus")
        await driver.wait_for("Save the machine's memory to disk and stop it.")
        assert bench._quiet is None, "what was said before does not take it away"

"""The screen of the machine that a build works on: a tab that follows a real one, and a picture of it."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.model.machine import MachineState
from core.model.operation import Progress, Step, StepState
from tests.support import vnc
from tests.support.fake_client import NOW, SHOP, FakeClient
from tests.tui.conftest import Start
from tests.tui.test_build_questions import building, change
from tui.builds import drawing
from tui.terminal import Terminal


@pytest.fixture
def machine() -> Iterator[vnc.Machine]:
    """Sockets have short names only."""
    with tempfile.TemporaryDirectory() as folder, vnc.machine(Path(folder)) as one:
        yield one


TYPING = Step(
    operation="000009", id=1, name="Type the boot command", state=StepState.RUNNING, started=NOW,
    detail="<esc>auto preseed/url=http://10", progress=Progress(4, 10, "s"),
)  # fmt: skip


@pytest.mark.real
async def test_a_screen_follows_the_machine_with_what_is_typed_into_it_and_is_saved(
    start: Start, world: FakeClient, machine: vnc.Machine, tmp_path: Path
) -> None:
    async with start() as driver:
        await driver.press("3", "down", "i")
        await driver.wait_for("Only a machine of the source qemu has a screen, while the build works on it.")
        world.operation(building(StepState.RUNNING))
        world.step(TYPING)
        change(world, screens={"qemu.b": "/nowhere/vnc", "qemu.a": str(machine.socket)})
        await driver.wait_for("Overview   Screen ")
        await driver.press("i")
        await driver.wait_for("[Screen]")
        await driver.wait_for("▀" * 40)
        await driver.wait_for("qemu.a")
        await driver.wait_for("Type the boot command")
        assert "▰▰▱▱▱ 40%" in driver.text and "url=http://10" in driver.text
        world.step(msgspec.structs.replace(TYPING, detail="<esc>auto preseed/url=http://10.0.2.2/p"))
        await driver.wait_for("10.0.2.2/p")
        # Saved as it is seen.
        await driver.press("w")
        await driver.wait_for("Save the screen")
        target = tmp_path / "seen.png"
        field = driver.app.screen.query_one("Input")
        field.value = str(target)  # type: ignore[attr-defined]
        await driver.press("enter")
        await driver.wait_for("Wrote")
        seen = driver.bench.detail.screen_view.picture
        assert target.read_bytes()[16:24] == struct.pack(">II", seen.width, seen.height)
        # The next source's machine cannot be reached.
        await driver.press("o")
        await driver.wait_for("The machine's screen cannot be reached.")
        await driver.press("o")
        await driver.wait_for("▀" * 40)
        machine.end()
        await driver.wait_for("The machine's screen")
        change(world, screens={})
        await driver.settle()
        assert "[Screen]" not in driver.text


@pytest.mark.real
async def test_the_screen_of_a_running_machine_is_a_tab_of_it(
    start: Start, world: FakeClient, machine: vnc.Machine
) -> None:
    web = world.machines[f"{SHOP}:web"]
    async with start() as driver:
        await driver.press("i")
        await driver.wait_for('web has none: display = "vnc" in its table qemu gives it one.')
        world.machine(msgspec.structs.replace(web, screen=str(machine.socket)))
        await driver.wait_for("]  Screen ")
        await driver.press("i")
        await driver.wait_for("▀" * 40)
        await driver.wait_for("w Save")
        world.machine(msgspec.structs.replace(web, state=MachineState.STOPPED, endpoint=None, screen=""))
        await driver.settle()
        assert "[Screen]" not in driver.text
        await driver.press("i")
        await driver.wait_for("Screen: web does not run.")


async def test_only_what_is_looked_at_is_asked_for(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        change(world, screens={"qemu.a": "/nowhere/vnc"})
        await driver.settle()
        await driver.press("3", "down", "i")
        view = driver.bench.detail.screen_view
        await driver.wait_for("cannot be reached")
        assert view._looking is not None
        await driver.press("right_square_bracket")
        await driver.settle()
        assert view._looking is None


WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@pytest.mark.parametrize(
    ("terminal", "text"),
    [
        (Terminal(), "▀▀▀▀"),
        (Terminal(colours=16, unicode=False), "    "),
        (Terminal(colours=0), " ▄▀█"),
        (Terminal(colours=0, unicode=False), " ==@"),
    ],
)
def test_it_is_drawn_with_whatever_the_terminal_has(terminal: Terminal, text: str) -> None:
    row = [(BLACK, BLACK), (BLACK, WHITE), (WHITE, BLACK), (WHITE, WHITE)]
    strip = drawing.line(row, terminal)
    assert strip.text == text
    assert strip.cell_length == 4

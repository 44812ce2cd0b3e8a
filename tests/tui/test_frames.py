"""Pictures of the workbench as text, at three sizes; approved ones lie in ``frames/``.

To approve what has changed: ``APPROVE=1 python -m pytest tests/tui/test_frames.py`` and look at the diff.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from core.errors import NotFoundError
from core.model.problem import Place, Problem
from core.model.query import ProjectView
from tests.support.fake_client import SHOP, FakeClient
from tests.tui.conftest import Driver, Start
from tui.terminal import Terminal

FRAMES = Path(__file__).parent / "frames"
SIZES = [(80, 24), (120, 40), (200, 60)]

Scene = Callable[[Driver], Awaitable[None]]


async def overview(driver: Driver) -> None:
    await driver.settle()


async def steps(driver: Driver) -> None:
    driver.world.log(
        "000001", b"".join(b"\x1b[32mGet:%d\x1b[0m Packages\r\n" % number for number in range(40)), 5
    )
    await driver.press("down", "enter")
    await driver.wait_for("Wait for SSH")


async def failure(driver: Driver) -> None:
    await driver.press("enter", "right_square_bracket")
    await driver.wait_for("Unable to locate")


async def log(driver: Driver) -> None:
    driver.world.log("000001", b"".join(b"line %03d of the output\n" % number for number in range(200)), 5)
    await driver.press("down", "l")
    await driver.wait_for("line 199")


async def destroy(driver: Driver) -> None:
    await driver.press("d")
    await driver.wait_for("Goes")


async def add_box(driver: Driver) -> None:
    await driver.press("2", "a")
    await driver.wait_for("box add SOURCE")


async def palette(driver: Driver) -> None:
    await driver.press("ctrl+p")
    await driver.type("snap")
    await driver.wait_for("snapshot save")


async def help_page(driver: Driver) -> None:
    await driver.press("question_mark")
    await driver.wait_for("Shut the machine down")


async def filtered(driver: Driver) -> None:
    await driver.press("slash")
    await driver.type("!web")
    await driver.wait_for("4 of 5")


async def lost(driver: Driver) -> None:
    driver.world.end(NotFoundError("No engine runs."))
    await driver.wait_for("no engine")


SCENES: list[Scene] = [overview, steps, failure, log, destroy, add_box, palette, help_page, filtered, lost]


def approve(name: str, frame: list[str]) -> None:
    path = FRAMES / f"{name}.txt"
    text = "\n".join(row.rstrip() for row in frame) + "\n"
    if os.environ.get("APPROVE") or not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"tests/tui/frames/{path.name} shows something else"


def fits(frame: list[str], size: tuple[int, int], *, dialog: bool = False) -> None:
    """Nothing overflows, and every frame is closed (a dialog may cover corners)."""
    width, height = size
    assert len(frame) == height
    assert all(cell_len(row) == width for row in frame), [cell_len(row) for row in frame]
    text = "\n".join(frame)
    for left, right in () if dialog else (("╭", "╮"), ("╰", "╯")):
        assert text.count(left) == text.count(right)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_scene(start: Start, scene: Scene, size: tuple[int, int]) -> None:
    async with start(size=size) as driver:
        await scene(driver)
        frame = driver.frame()
        fits(frame, size, dialog=scene in (destroy, add_box, palette, help_page))
        approve(f"{scene.__name__}-{size[0]}x{size[1]}", frame)


@pytest.mark.parametrize(
    "scene", [overview, steps, failure, destroy, palette], ids=lambda scene: scene.__name__
)
async def test_without_unicode_everything_is_ascii(start: Start, scene: Scene) -> None:
    async with start(size=(120, 40), terminal=Terminal(unicode=False)) as driver:
        await scene(driver)
        foreign = {letter for letter in driver.text if ord(letter) > 126} - set("·–")
        # What programs and people wrote is theirs; the phases of waiting come from the engine.
        assert not foreign, foreign
        approve(f"{scene.__name__}-ascii", driver.frame())


@pytest.mark.parametrize("colours", [0, 16, 256], ids=["none", "16", "256"])
async def test_states_are_told_without_colour(start: Start, colours: int) -> None:
    async with start(size=(120, 40), terminal=Terminal(colours=colours)) as driver:
        await steps(driver)
        for word in ("running", "starting", "stopped", "not created", "broken", "cached", "waiting"):
            assert word in driver.text
        used = {
            segment.style.color.name
            for strip in driver.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.color and not segment.style.color.is_default
        }
        if colours == 0:
            assert not used
        if colours == 16:
            assert not any(name.startswith("#") for name in used), used


EMPTY = [
    ("no-project", "", None),
    ("no-machine", SHOP, ProjectView(root=SHOP, file=f"{SHOP}/boxwright.toml", name="shop")),
    (
        "broken-project",
        SHOP,
        ProjectView(
            root=SHOP,
            problem=Problem(
                what="There is no key 'boks' in a machine.",
                why="Known are: box, cpus, memory.",
                remedy="Did you mean 'box'?",
                place=Place(f"{SHOP}/boxwright.toml", 4, 1, 'boks = "debian/bookworm64"'),
            ),
        ),
    ),
]


@pytest.mark.parametrize(("name", "project", "view"), EMPTY, ids=[item[0] for item in EMPTY])
async def test_empty_states_teach(
    start: Start, tmp_path: Path, name: str, project: str, view: ProjectView | None
) -> None:
    client = FakeClient(tmp_path)
    if view is not None:
        client.projects[SHOP] = view
    for size in ((80, 24), (120, 40)):
        async with start(size=size, project=project, client=client) as driver:
            await driver.press("enter")
            fits(driver.frame(), size)
            approve(f"{name}-{size[0]}x{size[1]}", driver.frame())

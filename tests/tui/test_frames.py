"""The workbench at three sizes: as text in ``frames/``, as SVG in three modes of colour in ``pictures/``.

To approve what has changed: ``make frames``, and look at the diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from core.model.problem import Place, Problem
from core.model.query import ProjectView
from tests.support.fake_client import SHOP, FakeClient
from tests.support.svg import compact
from tests.tui.conftest import Start
from tests.tui.scenes import SCENES, Scene, destroy, failure, overview, palette, steps
from tui.terminal import Terminal

FRAMES = Path(__file__).parent / "frames"
PICTURES = Path(__file__).parent / "pictures"
SIZES = [(80, 24), (120, 40), (200, 60)]
MODES = {"16": Terminal(colours=16), "none": Terminal(colours=0), "true": Terminal()}
"""How many colours the terminal has."""
DIALOGS = {
    "destroy", "counted", "progress", "add_box", "box_removed", "palette", "menu", "prompt", "help_page",
    "tour", "themes", "merged_log", "operations", "editing", "wizard", "wizard_file", "question",
}  # fmt: skip
"""Scenes in which something covers corners of frames."""
MOST_PICTURES = 4 << 20
"""Bytes of all pictures together."""


def approve(name: str, frame: list[str]) -> None:
    approve_file(FRAMES / f"{name}.txt", "\n".join(row.rstrip() for row in frame) + "\n")


def approve_file(path: Path, text: str) -> None:
    if os.environ.get("APPROVE") or not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name} shows something else"


def fits(frame: list[str], size: tuple[int, int], *, dialog: bool = False) -> None:
    """Nothing overflows, and every frame is closed (a dialog may cover corners)."""
    width, height = size
    assert len(frame) == height
    assert all(cell_len(row) == width for row in frame), [cell_len(row) for row in frame]
    text = "\n".join(frame)
    for left, right in () if dialog else (("╭", "╮"), ("╰", "╯")):
        assert text.count(left) == text.count(right)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_scene(start: Start, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run is shown in all sizes, as a window that grows, and in all modes."""
    monkeypatch.chdir(tmp_path)
    async with start(size=SIZES[0]) as driver:
        await scene(driver)
        for size in SIZES:
            await driver.resize(*size)
            frame = driver.frame()
            fits(frame, size, dialog=scene.__name__ in DIALOGS)
            approve(f"{scene.__name__}-{size[0]}x{size[1]}", frame)
            for mode, terminal in MODES.items():
                await driver.wear(terminal)
                name = f"{scene.__name__}-{size[0]}x{size[1]}-{mode}"
                approve_file(PICTURES / f"{name}.svg", compact(driver.app.export_screenshot(), *size))


def test_every_frame_and_picture_belongs_to_a_scene() -> None:
    """What is left of a scene that there is no more goes, and pictures stay few enough to be kept."""
    names = {scene.__name__ for scene in SCENES} | {name for name, _, _ in EMPTY}
    strangers = [
        path
        for path in (*FRAMES.iterdir(), *PICTURES.iterdir())
        if re.sub(r"-(\d+x\d+(-\w+)?|ascii)$", "", path.stem) not in names
    ]
    if os.environ.get("APPROVE"):
        for path in strangers:
            path.unlink()
    else:
        assert not strangers
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < MOST_PICTURES


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
    for size in SIZES:
        async with start(size=size, project=project, client=client) as driver:
            await driver.press("enter")
            fits(driver.frame(), size)
            approve(f"{name}-{size[0]}x{size[1]}", driver.frame())

"""A build that asks what to do about a failed step: seen by itself, and answered with one key."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from core.model.command import AddBox, AnswerBuild, PruneLayers, RunBuild
from core.model.machine import Endpoint
from core.model.operation import Operation, StepState
from core.model.problem import Problem
from core.model.query import BuildView, ProjectView
from tests.support.fake_client import NOW, SHOP, FakeClient
from tests.tui.conftest import Driver, Start
from tui.console.session import SessionState
from tui.dialogs import question

ANSWERS = {
    "retry": "run this step again, with its script as it is now",
    "keep": "end the build and leave the machine running",
    "clean": "error-cleanup-provisioner, then remove the machine",
    "abort": "remove the machine at once",
}
DIALOG = "esc leaves it for later"
FAILURE = Problem(what="The script failed.", why="Its exit status is 3.", tail=("E: no such package",))
GUEST = Endpoint(host="127.0.0.1", port=1, user="vagrant", identity="/keys/none", known_hosts="/keys/known")


def asks(world: FakeClient, asked: float = 1.0, **more: object) -> None:
    """The build ``windows`` runs, and asks."""
    world.operation(building(StepState.RUNNING))
    given = {"failure": FAILURE, "endpoint": GUEST, "files": (), **more}
    change(world, question="shell: setup.sh failed", answers=ANSWERS, asked=asked, **given)


def change(world: FakeClient, **more: object) -> None:
    view = world.projects[SHOP]
    builds = tuple(
        msgspec.structs.replace(build, **more) if build.name == "windows" else build for build in view.builds
    )
    world.project(msgspec.structs.replace(view, builds=builds))


def answered(world: FakeClient) -> None:
    change(world, question="", answers={}, failure=None, endpoint=None)


def building(state: StepState, **more: object) -> Operation:
    return Operation(
        id="000009", command="build.run", title="build windows", subject=f"build:{SHOP}:windows",
        project=SHOP, state=state, submitted=NOW, started=NOW, ended=NOW + 9 if state.ended else 0.0, **more,
    )  # fmt: skip


async def test_that_a_build_asks_is_said_marked_and_counted_wherever_one_is(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        asks(world)
        await driver.wait_for("? windows: shell: setup.sh failed  (a in the builds answers)")
        row = next(line for line in driver.frame() if "windows" in line and "asks (a)" in line)
        assert "? windows" in row
        assert "1 asks" in driver.frame()[0]
        assert "Retry this step" not in driver.text, "what somebody else began does not come in between"
        answered(world)
        await driver.settle()
        assert "asks" not in driver.frame()[0]


OTHER = "/home/ada/images"


def asks_elsewhere(world: FakeClient) -> None:
    """A build of another project runs, and asks."""
    build = BuildView(
        name="golden",
        state="running",
        question="shell: setup.sh failed",
        answers=ANSWERS,
        asked=1.0,
        failure=FAILURE,
    )
    world.projects[OTHER] = ProjectView(root=OTHER, name="images", builds=(build,))
    world.log("000009", b"Install packages\n")
    world.operation(
        msgspec.structs.replace(
            building(StepState.RUNNING), title="build golden", subject=f"build:{OTHER}:golden", project=OTHER
        )
    )


async def test_builds_of_all_projects_are_listed_and_opened_from_there(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        asks_elsewhere(world)
        await driver.wait_for("(a in the builds of images answers)")
        await driver.press("P", "enter", "3")
        assert [row.key for row in driver.bench.lists.builds.rows] == [
            f"build:{OTHER}:golden", f"build:{SHOP}:base", f"build:{SHOP}:windows",
        ]  # fmt: skip
        await driver.wait_for("golden   images")
        await driver.press("home", "l")
        await driver.wait_for("Install packages")
        await driver.press("escape", "a")
        await driver.wait_for(DIALOG)
        await driver.press("r")
        await driver.wait_for("$ boxwright --project /home/ada/images answer golden retry")
        assert world.submitted == [AnswerBuild(project=OTHER, name="golden", answer="retry")]


async def test_the_prompt_knows_the_builds_of_all_projects(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        asks_elsewhere(world)
        await driver.wait_for("(a in the builds of images answers)")
        await driver.press("P", "enter", "colon")
        await driver.type("answer golden keep")
        await driver.press("enter")
        await driver.wait_for("$ boxwright --project /home/ada/images answer golden keep")
        assert world.submitted == [AnswerBuild(project=OTHER, name="golden", answer="keep")]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_dialog_has_the_reason_and_every_answer_with_its_key(
    start: Start, world: FakeClient, size: tuple[int, int]
) -> None:
    async with start(size=size) as driver:
        asks(world)
        await driver.settle()
        await driver.press("3", "down", "a")
        await driver.wait_for(DIALOG)
        for text in ("The script failed.", "Its exit status is 3.", "E: no such package"):
            assert text in driver.text
        for entry in (
            "r   Retry this step", "s   Shell here", "e   Edit", "l   Log", "k   Keep the machine",
            "c   Clean up", "a   Abort",
        ):  # fmt: skip
            assert entry in driver.text


@pytest.mark.parametrize("word", list(ANSWERS))
async def test_each_answer_is_one_key(start: Start, world: FakeClient, word: str) -> None:
    async with start() as driver:
        asks(world)
        await driver.settle()
        await driver.press("3", "down", "a")
        await driver.wait_for(DIALOG)
        await driver.press(word[0])
        assert world.submitted[-1] == AnswerBuild(project=SHOP, name="windows", answer=word)


async def test_an_answer_is_chosen_with_the_cursor_too(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        asks(world)
        await driver.settle()
        await driver.press("3", "down", "a")
        await driver.wait_for(DIALOG)
        await driver.press(*["down"] * 6, "up", "enter")
        assert world.submitted[-1] == AnswerBuild(project=SHOP, name="windows", answer="clean")


async def test_a_shell_in_the_guest_is_a_tab_of_the_build(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        asks(world)
        await driver.settle()
        await driver.press("3", "down", "a")
        await driver.wait_for(DIALOG)
        await driver.press("s")
        await driver.wait_for("[Shell 1]")
        assert world.submitted == [], "the question stays"
        assert "asks (a)" in driver.text
        await driver.press("ctrl+right_square_bracket", "'")
        await driver.wait_for("windows: Shell 1")


async def test_the_scripts_of_the_step_are_edited_and_it_is_asked_again(
    start: Start, world: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "setup.sh"
    script.write_text("exit 3\n")
    edited: list[list[Path]] = []
    monkeypatch.setattr(
        "tui.editing.Edits._run_editor", lambda _self, files, line=0: edited.append(list(files))
    )
    async with start() as driver:
        asks(world, files=(str(script),))
        await driver.settle()
        await driver.press("3", "down", "a")
        await driver.wait_for(DIALOG)
        await driver.press("e")
        await driver.wait_for(DIALOG)
        assert edited == [[script]]
        await driver.press("r")
        assert world.submitted[-1] == AnswerBuild(project=SHOP, name="windows", answer="retry")


async def begin(driver: Driver, world: FakeClient) -> None:
    """A build that was begun here asks."""
    await driver.press("3", "down", "b")
    assert world.submitted[-1] == RunBuild(
        project=SHOP, name="windows", on_error="ask", environment=dict(os.environ)
    )
    run = next(one for one in world.operations.values() if one.command == "build.run")
    world.operation(msgspec.structs.replace(run, subject=f"build:{SHOP}:windows"))
    change(world, question="shell: setup.sh failed", answers=ANSWERS, asked=1.0, failure=FAILURE)


async def test_what_was_begun_here_asks_by_itself_and_takes_no_keys_that_were_on_their_way(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(question, "SUDDEN", 3600.0)
    async with start() as driver:
        await begin(driver, world)
        await driver.wait_for(DIALOG)
        await driver.press("a", "c", "enter")
        await driver.wait_for(DIALOG)
        assert isinstance(world.submitted[-1], RunBuild)
        await driver.press("escape")
        assert DIALOG not in driver.text
        assert "asks (a)" in driver.text


async def test_it_does_not_come_in_between_while_somebody_types(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("3", "down", "b", "colon")
        run = next(one for one in world.operations.values() if one.command == "build.run")
        world.operation(msgspec.structs.replace(run, subject=f"build:{SHOP}:windows"))
        change(world, question="shell: setup.sh failed", answers=ANSWERS, asked=1.0)
        await driver.wait_for("1 asks")
        assert DIALOG not in driver.text


async def test_a_question_that_was_answered_elsewhere_goes_away(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        asks(world)
        await driver.settle()
        await driver.press("3", "down", "a")
        await driver.wait_for(DIALOG)
        answered(world)
        for _ in range(500):
            await driver.pilot.pause(0.02)
            if DIALOG not in driver.text:
                break
        assert DIALOG not in driver.text


async def test_the_same_question_asked_again_is_told_again(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        asks(world, 1.0)
        await driver.wait_for("(a in the builds answers)")
        await driver.press("1")
        assert "(a in the builds answers)" not in driver.text
        asks(world, 2.0)
        await driver.wait_for("(a in the builds answers)")


async def test_the_steps_of_a_build_that_asks_show_why_and_the_keys(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        asks(world)
        await driver.settle()
        await driver.press("3", "down", "enter")
        await driver.wait_for("The script failed.")
        for words in ("a Retry, keep, clean up or abort", "s Shell", "e Edit", "Y Copy"):
            assert words in driver.text


async def test_what_a_build_left_is_cleaned_up_from_where_that_is_said(
    start: Start, world: FakeClient
) -> None:
    left = msgspec.structs.replace(FAILURE, remedy="ssh -p 2200; boxwright layer prune --kept removes it")
    world.operation(building(StepState.FAILED, problem=left))
    async with start() as driver:
        await driver.press("3", "down", "enter", "right_square_bracket")
        await driver.wait_for("d Clean up")
        await driver.press("d")
        await driver.wait_for("were to keep")
        await driver.press("right", "enter")
        assert world.submitted[-1] == PruneLayers(kept=True)


async def test_the_box_that_a_template_left_goes_among_the_boxes_by_one_key(
    start: Start, world: FakeClient
) -> None:
    file = f"{SHOP}/out/windows.box"
    change(world, state="fresh", box_files=(file,))
    async with start() as driver:
        await driver.press("3", "down", "A")
        await driver.wait_for("box add")
        assert world.submitted == [AddBox(source=file, name="shop/windows", version="1")]
        change(world, box_files=())
        await driver.press("A")
        await driver.wait_for("Into the store: windows has left no box.")
        await driver.press("up", "A")
        await driver.wait_for("Into the store: its box is there: shop/base 3.")
        assert len(world.submitted) == 1


async def test_the_shell_of_a_build_that_has_ended_says_so(start: Start, world: FakeClient) -> None:
    """While the build goes on its machine may come back."""
    async with start() as driver:
        await driver.press("3", "down")
        choice = driver.bench.choice
        change(world, state="running")
        await driver.settle()
        console = driver.bench.consoles.open_in_build(choice.key, SHOP, "windows")
        driver.bench.detail.open_console(console)
        driver.bench.focus_detail()
        await driver.wait_for("The build has no machine to go to now.")
        assert console.session.state is SessionState.WAITING
        change(world, state="stale")
        await driver.wait_for("The machine is gone.  enter closes this tab")

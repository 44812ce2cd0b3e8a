"""The workbench from the keyboard: what each key asks of the engine, and what it shows."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import msgspec
import pytest

from core import resources
from core.commands import COMMANDS
from core.errors import BoxwrightError, NotFoundError
from core.model import command as commands
from core.model.event import MachineGone
from core.model.machine import Holder, Kept, MachineState, Snapshot
from core.model.operation import Step, StepState
from core.model.problem import Problem
from tests.support.fake_client import NOW, SHOP, FakeClient, box, machine, up
from tests.tui.conftest import Driver, Start
from tui import settings
from tui.terminal import Terminal
from tui.views.tabs import TabLine


def last(world: FakeClient) -> commands.Command:
    return world.submitted[-1]


async def submitted(driver: Driver, count: int = 1) -> None:
    for _ in range(2000):
        if len(driver.world.submitted) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"nothing was submitted:\n{driver.text}")


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("u", commands.Up),
        ("h", commands.Halt),
        ("z", commands.Suspend),
        ("r", commands.Reload),
        ("p", commands.Provision),
    ],
)
async def test_a_key_is_a_command_on_the_selected_machine(
    start: Start, world: FakeClient, key: str, command: type
) -> None:
    async with start() as driver:
        await driver.press(key)
        await submitted(driver)
        assert isinstance(last(world), command)
        assert last(world).machine.name == "web"  # type: ignore[union-attr]
        await driver.wait_for("$ boxwright")


async def test_what_is_not_possible_says_why_and_asks_nothing(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("Z")
        assert "Resume: web is running, not suspended." in driver.text
        await driver.press("down", "down", "s")
        assert "Shell: cache is stopped, not running." in driver.text
        assert world.submitted == []


async def test_keys_that_are_not_possible_now_are_grey(start: Start) -> None:
    async with start() as driver:
        look = driver.app.look
        styles = {segment.text.strip(): segment.style for segment in driver.bench.footer.render_line(0)}
        assert styles["Halt"] == look.style("text", on="panel")
        assert styles["Z Resume"] == look.style("muted", on="panel")
        assert look.style("muted", on="panel") != look.style("text", on="panel")


async def test_starting_a_machine_shows_its_steps_as_they_come(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("down", "down", "u")
        await submitted(driver)
        await driver.wait_for("[Steps]")
        id = max(world.operations)
        world.step(Step(operation=id, id=1, name="Linked clone", state=StepState.RUNNING, started=NOW))
        await driver.wait_for("Linked clone")
        world.log(id, b"first output\n", 1)
        world.step(
            Step(operation=id, id=1, name="Linked clone", state=StepState.DONE, started=NOW, ended=NOW + 2)
        )
        world.operation(up(id, "cache", StepState.DONE))
        await driver.wait_for("up cache: done")
        assert "2.0 s" in driver.text


async def test_what_a_lost_engine_was_doing_is_asked_for_anew(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.bridge.AGAIN", 0.01)
    async with start() as driver:
        await driver.press("down")
        await driver.wait_for("Linked clone")
        while not driver.app.bridge.state.known("000001"):
            await driver.settle()
        world.operations["000001"] = up("000001", "db", StepState.FAILED)
        world.end(BoxwrightError("The engine has gone."))
        await driver.wait_for("The engine has gone.")
        world.revives = True
        while driver.app.bridge.state.operations["000001"].state is not StepState.FAILED:
            await driver.settle()
        driver.bench.detail.activate("steps")
        await driver.wait_for("Linked clone")


async def test_while_a_guest_is_waited_for_its_serial_console_is_shown(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        world.operation(up("000070", "cache"))
        waiting = Step(operation="000070", id=1, name="Wait for SSH", state=StepState.RUNNING, started=NOW)
        world.step(waiting)
        await driver.press("down", "down")
        await driver.wait_for("Run /init")


async def test_destroy_asks_names_what_goes_and_begins_with_cancel(start: Start, world: FakeClient) -> None:
    points = (Snapshot(name="clean", created=NOW), Snapshot(name="before", created=NOW))
    world.machines[f"{SHOP}:web"] = machine("web", snapshots=points)
    async with start() as driver:
        await driver.press("d")
        await driver.wait_for("Destroy web?")
        assert "2 snapshots: clean and before" in driver.text
        assert "its box debian/bookworm64 12.5" in driver.text
        assert "for a day all of it can be brought back" in driver.text
        await driver.press("enter")
        assert world.submitted == []
        await driver.press("d")
        await driver.wait_for("Destroy web?")
        await driver.press("right", "enter")
        await submitted(driver)
        assert isinstance(last(world), commands.Destroy)


async def test_where_nothing_is_kept_no_return_is_promised(start: Start, world: FakeClient) -> None:
    world.machines[f"{SHOP}:web"] = machine("web", provider="docker")
    async with start() as driver:
        await driver.press("d")
        await driver.wait_for("Destroy web?")
        assert "brought back" not in driver.text


async def test_what_was_destroyed_is_brought_back_by_a_key(start: Start, world: FakeClient) -> None:
    gone = machine("web", MachineState.ABSENT)
    left = Kept(key=gone.key, id="0123456789ab", destroyed=NOW - 180, until=NOW + 3600, size=1 << 20)
    world.machines[f"{SHOP}:web"] = msgspec.structs.replace(gone, kept=left)
    async with start() as driver:
        await driver.wait_for("B brings back what was destroyed")
        await driver.press("B")
        await submitted(driver)
        assert last(world) == commands.Recover(machine=gone.key)


@pytest.mark.parametrize("keys", [("tab",), ("shift+tab",), ("tab", "tab", "tab")])
async def test_tab_goes_from_button_to_button(start: Start, world: FakeClient, keys: tuple[str, ...]) -> None:
    async with start() as driver:
        await driver.press("d")
        await driver.wait_for("Destroy web?")
        await driver.press(*keys, "enter")
        await submitted(driver)
        assert isinstance(last(world), commands.Destroy)


async def test_escape_leaves_a_question(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("d")
        await driver.wait_for("Destroy web?")
        await driver.press("escape")
        assert "Destroy web?" not in driver.text
        assert world.submitted == []


async def test_a_snapshot_asks_for_its_name_and_shows_the_command_line(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        await driver.press("S")
        await driver.wait_for("$ boxwright snapshot save web SNAPSHOT")
        await driver.press("enter")
        assert world.submitted == [], "without a name nothing happens"
        await driver.type("before-it")
        await driver.wait_for("$ boxwright snapshot save web before-it")
        await driver.press("enter")
        await submitted(driver)
        assert last(world) == commands.SaveSnapshot(machine=machine("web").key, name="before-it")


async def test_snapshots_are_chosen_from_a_list_and_no_name_is_taken_twice(
    start: Start, world: FakeClient
) -> None:
    kept = tuple(Snapshot(name=name, created=NOW - 60) for name in ("before", "after"))
    world.machine(machine("web", snapshots=kept))
    async with start() as driver:
        await driver.press("R")
        await driver.wait_for("Restore: snapshots of web")
        await driver.type("aft")
        await driver.press("enter")
        await driver.wait_for("Go back to after?")
        await driver.press("escape", "S")
        await driver.type("before")
        await driver.press("ctrl+s")
        await driver.wait_for("web has a snapshot 'before'")
        await driver.type("2")
        await driver.press("ctrl+s")
        await driver.settle()
        assert world.submitted == [commands.SaveSnapshot(machine=world.submitted[0].machine, name="before2")]


async def test_a_snapshot_is_restored_from_its_tab(start: Start, world: FakeClient) -> None:
    world.machines[f"{SHOP}:web"] = machine("web", snapshots=(Snapshot(name="clean", created=NOW),))
    async with start() as driver:
        for _ in range(3):
            await driver.press("right_square_bracket")
        await driver.wait_for("[Snapshots]")
        await driver.press("enter", "enter")
        await driver.wait_for("Go back to clean?")
        await driver.press("right", "enter")
        await submitted(driver)
        assert last(world) == commands.RestoreSnapshot(machine=machine("web").key, name="clean")


async def test_enter_in_the_steps_shows_the_output_of_the_marked_one(start: Start) -> None:
    async with start() as driver:
        await driver.press("down")
        await driver.wait_for("[Steps]")
        await driver.press("enter")
        assert driver.bench.detail.view.target == "step:1"
        await driver.press("enter")
        await driver.wait_for("[Log]")


async def test_an_operation_that_ended_without_output_says_so(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        world.operation(up("000070", "cache"))
        await driver.press("down", "down", "l")
        await driver.wait_for("No output yet.")
        world.operation(up("000070", "cache", StepState.DONE))
        await driver.wait_for("It wrote nothing.")


async def test_a_key_that_can_do_nothing_says_why(start: Start) -> None:
    async with start() as driver:
        await driver.press("w")
        assert "Close tab: only the tab of a console can be closed." in driver.text
        await driver.press("down", "a")
        assert "Retry from here: What was done last with db has not failed." in driver.text
        await driver.press("2", "x")
        assert "Nothing runs on" in driver.text


async def test_steps_have_their_width_when_they_are_first_shown(start: Start) -> None:
    async with start() as driver:
        await driver.press("down")
        await driver.wait_for("Linked clone")
        usual = driver.frame()
        await driver.press("right_square_bracket", "left_square_bracket")
        assert driver.frame() == usual
    async with start() as driver:
        driver.bench.detail._active[f"{SHOP}:db"] = "log"
        await driver.press("down")
        await driver.wait_for("[Log]")
        await driver.press("left_square_bracket")
        assert driver.frame() == usual


async def test_boxes_have_keys_of_their_own(start: Start, world: FakeClient, tmp_path: Path) -> None:
    async with start() as driver:
        await driver.press("2")
        assert "Remove box" in driver.text
        await driver.press("a")
        await driver.wait_for("Add a box from")
        await driver.type("debian/bookworm64")
        await driver.press("enter")
        await submitted(driver)
        assert last(world) == commands.AddBox(source="debian/bookworm64")
        await driver.press("d")
        await driver.wait_for("Remove debian/bookworm64?")
        await driver.press("right", "enter")
        await submitted(driver, 2)
        assert last(world) == commands.RemoveBox(name="debian/bookworm64", version="12.4", provider="qemu")


async def test_a_box_on_its_way_is_listed(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        world.operation(up("000050", "x", command="box.add", subject="box:alpine", title="box add alpine"))
        await driver.wait_for("adding")
        world.box(box("alpine", "3.19"))
        world.operation(up("000050", "x", StepState.DONE, command="box.add", subject="box:alpine"))
        await driver.wait_for("3.19")
        assert "adding" not in driver.text


async def test_a_build_is_run(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("3", "down", "b")
        await submitted(driver)
        assert last(world) == commands.RunBuild(
            project=SHOP, name="windows", on_error="ask", environment=dict(os.environ)
        )


async def test_a_failed_provisioner_is_run_again_from_there(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("right_square_bracket")
        await driver.wait_for("a Retry")
        await driver.press("a")
        await submitted(driver)
        assert last(world) == commands.Provision(machine=machine("web").key, start_at=1)


async def test_what_failed_besides_provisioners_is_done_again_as_it_was(
    start: Start, world: FakeClient
) -> None:
    key = machine("web").key
    world.operations["000100"] = msgspec.structs.replace(
        up("000100", "web", StepState.FAILED),
        problem=Problem(what="There is no such file."),
        command="machine.upload",
        title="upload web",
        command_line="boxwright upload web '/tmp/a file' /srv",
    )
    async with start() as driver:
        await driver.press("right_square_bracket")
        await driver.wait_for("a Try again")
        assert "Edit" not in driver.text.partition("a Try again")[2].partition("Copy the log")[0]
        await driver.press("a")
        await submitted(driver)
        assert last(world) == commands.Upload(machine=key, source="/tmp/a file", target="/srv")


async def test_the_latest_run_is_gone_on_with_whichever_is_shown(start: Start, world: FakeClient) -> None:
    failed = world.operations["000000"]
    world.operations["000000"] = msgspec.structs.replace(failed, state=StepState.DONE, problem=None)
    world.operations["000100"] = msgspec.structs.replace(failed, id="000100")
    world.steps["000100"], world.steps["000000"] = world.steps["000000"], {}
    async with start() as driver:
        await driver.press("right_square_bracket")
        await driver.wait_for("run 2 of 2")
        await driver.press("less_than_sign")
        await driver.wait_for("run 1 of 2")
        await driver.press("a")
        await submitted(driver)
        assert last(world) == commands.Provision(machine=machine("web").key, start_at=1)


async def test_an_operation_is_cancelled(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("x")
        assert "Nothing runs on web." in driver.text
        await driver.press("down", "x")
        assert world.cancelled == ["000001"]


async def test_a_refusal_is_a_panel_with_what_why_and_remedy(start: Start, world: FakeClient) -> None:
    world.refused = BoxwrightError("web is held.", why="Somebody halts it.", remedy="boxwright ops")
    async with start() as driver:
        await driver.press("u")
        await driver.wait_for("That did not work")
        for text in ("web is held.", "Somebody halts it.", "To mend it", "boxwright ops"):
            assert text in driver.text
        await driver.press("escape")
        assert "That did not work" not in driver.text


async def test_a_waiting_operation_says_who_holds_the_machine(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        holder = Holder(operation="000001", action="up", since=NOW)
        waits = Holder(operation="000060", action="halt", since=NOW + 5)
        world.machine(machine("db", MachineState.STARTING, holder=holder, waiting=(waits,)))
        world.operation(
            up("000060", "db", StepState.WAITING, title="halt db", detail="up holds db since 12:00")
        )
        await driver.press("down")
        for _ in range(6):
            if "[Overview]" in driver.text:
                break
            await driver.press("right_square_bracket")
        await driver.wait_for("halt, waiting")
        assert "up for" in driver.text


# Moving about.


async def test_panes_and_tabs_are_reached_by_keys(start: Start) -> None:
    async with start() as driver:
        assert driver.bench.pane == "machines"
        await driver.press("tab")
        assert driver.bench.pane == "boxes"
        await driver.press("tab")
        assert driver.bench.pane == "builds"
        await driver.press("tab")
        assert driver.bench.in_detail
        await driver.press("escape")
        assert driver.bench.pane == "builds"
        await driver.press("shift+tab")
        assert driver.bench.pane == "boxes"
        await driver.press("1", "right_square_bracket")
        assert driver.bench.detail.active == "steps"
        await driver.press("left_square_bracket")
        assert driver.bench.detail.active == "overview"


async def test_keys_typed_in_one_go_mean_what_they_would_one_by_one(start: Start) -> None:
    async with start() as driver:
        driver.app.simulate_key("j")
        driver.app.simulate_key("l")
        await driver.settle()
        await driver.wait_for("[Log]")
        assert driver.bench.choice.title == "db"


async def test_a_narrow_screen_shows_one_side_at_a_time(start: Start) -> None:
    async with start(size=(80, 24)) as driver:
        assert "1 Machines" in driver.text
        assert "[Overview]" not in driver.text
        await driver.press("enter")
        assert "1 Machines" not in driver.text
        assert "[Overview]" in driver.text
        await driver.press("escape")
        assert "1 Machines" in driver.text


async def test_the_terminal_may_change_its_size(start: Start) -> None:
    async with start(size=(120, 40)) as driver:
        await driver.pilot.resize_terminal(80, 24)
        await driver.settle()
        assert "[Overview]" not in driver.text
        await driver.pilot.resize_terminal(160, 50)
        await driver.settle()
        assert "[Overview]" in driver.text
        assert len(driver.frame()) == 50


async def test_a_filter_narrows_the_list_and_escape_clears_it(start: Start) -> None:
    async with start() as driver:
        await driver.press("slash")
        await driver.type("stopped")
        await driver.wait_for("1 of 5")
        await driver.press("enter")
        assert driver.bench.lists.machines.selected == f"{SHOP}:cache"
        await driver.press("escape")
        assert "1 of 5" not in driver.text
        assert len(driver.bench.lists.machines.rows) == 5


async def test_the_cursor_stays_on_its_machine_when_others_come_and_go(
    start: Start, world: FakeClient
) -> None:
    async with start(project="") as driver:
        await driver.press("down")
        before = driver.bench.lists.machines.selected
        world.machine(machine("aaa"))
        await driver.settle()
        assert driver.bench.lists.machines.selected == before


async def test_the_mouse_selects_and_picks(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.pilot.click("#machines", offset=(5, 4))
        await driver.settle()
        assert driver.bench.lists.machines.selected == f"{SHOP}:cache"
        await driver.pilot.click("#tabs", offset=(13, 0))
        await driver.settle()
        assert driver.bench.detail.active == "steps"
        await driver.pilot.click("#footer", offset=(1, 0))
        await submitted(driver)
        assert isinstance(last(world), commands.Up)


async def test_the_arrows_of_the_tabs_lead_on(start: Start) -> None:
    async with start(size=(100, 30)) as driver:
        for _ in range(3):
            driver.bench.actions.opening.shell(driver.bench.choice)
            await driver.settle()
        tabs = driver.bench.detail.query_one("#tabs", TabLine)
        for arrow, end in ((">", -1), ("<", 0)):
            while tabs.active != tabs.tabs[end].id:
                before, line = tabs.active, tabs.render_line(0).text
                if arrow not in line:
                    break
                await driver.pilot.click("#tabs", offset=(line.rindex(arrow), 0))
                await driver.settle()
                assert tabs.active != before
            assert tabs.tabs[end].title in tabs.render_line(0).text


# Prompt, palette, help.


async def test_the_prompt_takes_commands_with_arguments(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("halt db --force")
        await driver.press("enter")
        await submitted(driver)
        assert last(world) == commands.Halt(machine=machine("db").key, force=True)


async def test_a_name_at_the_prompt_is_of_the_shown_project(start: Start, world: FakeClient) -> None:
    other = machine("web", project="/home/ada/blog")
    world.machines[str(other.key)] = other
    async with start() as driver:
        await driver.press("down", "colon")
        await driver.type("halt web")
        await driver.press("enter")
        await submitted(driver)
        assert last(world) == commands.Halt(machine=machine("web").key)
        await driver.press("P", "enter", "colon")
        await driver.type("halt web")
        await driver.press("enter")
        await driver.wait_for("Several projects have a machine 'web'.")
        await driver.press("escape")
        assert len(world.submitted) == 1
        driver.bench.lists.machines.select(str(other.key))
        await driver.press("h")
        await submitted(driver, 2)
        assert last(world) == commands.Halt(machine=other.key)
        await driver.wait_for("$ boxwright --project /home/ada/blog halt web")


async def test_the_prompt_completes_and_explains(start: Start) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("sus")
        await driver.wait_for("Save the machine's memory")
        await driver.press("tab")
        await driver.wait_for(":suspend")
        await driver.press("escape")
        assert ":suspend" not in driver.text


async def test_a_command_that_does_not_exist_is_told(start: Start) -> None:
    async with start() as driver:
        await driver.press("colon")
        await driver.type("frobnicate")
        await driver.press("enter")
        await driver.wait_for("There is no command")


async def test_the_palette_lists_every_command_and_does_the_chosen_one(
    start: Start, world: FakeClient
) -> None:
    from tui.keys import commands as known
    from tui.manual import palette_entries

    async with start() as driver:
        entries = palette_entries(driver.bench.keymap, driver.bench.choice)
        assert {spec.id for spec in known()} <= {entry.id for entry in entries}
        assert len(known()) >= len(COMMANDS) - 2
        await driver.press("ctrl+p")
        await driver.type("halt")
        await driver.press("enter")
        await submitted(driver)
        assert isinstance(last(world), commands.Halt)


async def test_help_is_made_from_the_registry(start: Start) -> None:
    async with start(size=(120, 60)) as driver:
        await driver.press("question_mark")
        await driver.wait_for("Shut the machine down.")
        await driver.press("escape")
        assert "Shut the machine down." not in driver.text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("ssh-config", "HostName 127.0.0.1"),
        ("version", "$ boxwright version"),
        ("ops", "up web"),
        ("engine stop", "needs the engine"),
        ("box show", "12.4"),
    ],
)
async def test_commands_that_only_show_something(start: Start, line: str, text: str) -> None:
    async with start() as driver:
        if line.startswith("box"):
            await driver.press("2")
        await driver.press("colon")
        await driver.type(line)
        await driver.press("enter")
        await driver.wait_for(text)


_RIGHT = """[project]
name = "shop"
[machines.web]
box = "debian/bookworm64"
"""


async def test_validate_finds_what_the_shell_finds(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "boxwright.toml"
    file.write_text(_RIGHT)
    async with start(project=str(tmp_path)) as driver:
        await driver.press("colon")
        await driver.type("validate")
        await driver.press("enter")
        await driver.wait_for("is right: 1 machine, 0 builds")
        file.write_text(_RIGHT + "memmory = 1\n[[machines.web.provision]]\nscript = 'nowhere.sh'\n")
        await driver.press("colon")
        await driver.type("validate")
        await driver.press("enter")
        await driver.wait_for("2 mistakes")
        await driver.wait_for("memmory")
        await driver.wait_for("nowhere.sh")


async def test_past_operations_can_be_looked_at(start: Start) -> None:
    async with start() as driver:
        await driver.press("O")
        await driver.wait_for("Operations")
        await driver.press("down", "enter")
        await driver.wait_for("The provisioner 'setup' ended with status 100.")


# Themes and settings.


async def test_a_theme_is_shown_as_the_cursor_comes_to_it_and_remembered_when_chosen(start: Start) -> None:
    async with start() as driver:
        assert driver.app.look.theme.name == "dark"
        await driver.press("T")
        await driver.wait_for("enter keeps it")
        await driver.press("down")
        shown = driver.app.look.theme.name
        assert shown != "dark"
        assert driver.app.theme.startswith(f"boxwright-{shown}-")
        await driver.press("escape")
        assert driver.app.look.theme.name == "dark"
        assert settings.load(settings.file())[0].theme == ""
        await driver.press("T", "down", "enter")
        assert driver.app.look.theme.name == shown
    assert settings.load(settings.file())[0].theme == shown
    async with start() as driver:
        assert driver.app.look.theme.name == shown


async def test_themes_are_found_by_what_is_typed(start: Start) -> None:
    async with start(size=(80, 24)) as driver:
        await driver.press("T")
        await driver.wait_for("Theme  ")
        await driver.type("nord")
        await driver.wait_for("Theme  1 of 1")
        await driver.press("enter")
        assert driver.app.look.theme.name == "nord"


async def test_a_theme_is_worn_anew_when_its_file_is_edited(start: Start) -> None:
    mine = settings.folder() / "themes" / "mine.toml"
    mine.parent.mkdir(parents=True)
    text = (resources.themes() / "nord.toml").read_text().replace('"nord"', '"mine"')
    mine.write_text(text)
    settings.file().write_text('theme = "mine"\n')
    async with start() as driver:
        assert driver.app.look.theme.colours.bad != "#123456"
        mine.write_text(re.sub('bad = ".*"', 'bad = "#123456"', text))
        driver.app._look_for_edits()
        assert driver.app.look.theme.colours.bad == "#123456"
        mine.write_text("broken")
        driver.app._look_for_edits()
        await driver.wait_for("The theme 'mine' cannot be used.")
        assert driver.app.look.theme.colours.bad == "#123456"


async def test_a_broken_theme_is_marked_in_the_list_and_cannot_be_chosen(start: Start) -> None:
    folder = settings.folder() / "themes"
    folder.mkdir(parents=True)
    (folder / "zebra.toml").write_text("name = 'zebra'\n")
    async with start() as driver:
        await driver.press("T")
        await driver.wait_for("enter keeps it")
        await driver.press("end")
        await driver.wait_for("it is broken")
        await driver.wait_for("✗ zebra")
        await driver.press("enter")
        assert driver.app.look.theme.name != "zebra"


async def test_a_broken_theme_is_reported_and_skipped(start: Start) -> None:
    folder = settings.folder() / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("name = 'mine'\n[colours]\ntext = 'mauve'\n")
    settings.file().write_text('theme = "mine"\n')
    async with start() as driver:
        assert driver.app.look.theme.name == "dark"
        await driver.wait_for("The theme 'mine' cannot be used.")


async def test_a_terminal_with_few_colours_keeps_its_own(start: Start) -> None:
    async with start(terminal=Terminal(colours=16)) as driver:
        assert driver.app.look.theme.ansi
        await driver.press("T")
        assert driver.app.look.theme.ansi
        assert "too few colours" in driver.text


async def test_a_key_can_be_another_one(start: Start, world: FakeClient) -> None:
    settings.file().parent.mkdir(parents=True, exist_ok=True)
    settings.file().write_text('[keys]\n"machine.up" = "f5"\n')
    async with start() as driver:
        await driver.press("u")
        assert world.submitted == []
        await driver.press("f5")
        await submitted(driver)
        assert isinstance(last(world), commands.Up)


# The engine goes and comes.


async def test_an_engine_that_is_gone_is_told_and_what_is_known_stays(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.bridge.AGAIN", 0.01)
    async with start() as driver:
        world.end(NotFoundError("No engine runs."))
        await driver.wait_for("no engine")
        assert "web" in driver.text
        world.revives = True
        await driver.press("u")
        await driver.wait_for("1 running")


async def test_a_project_that_cannot_be_read_any_more_says_so(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        problem = Problem(what="There is no key 'boks'.")
        for key in list(world.machines):
            world.publish(MachineGone(world.machines.pop(key).key))
        world.project(msgspec.structs.replace(world.projects[SHOP], problem=problem, machines=()))
        await driver.wait_for("The project cannot be read")
        await driver.wait_for("There is no key 'boks'.")


async def test_names_may_hold_what_looks_like_markup(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        world.machine(machine("[bold]x[/]"))
        await driver.wait_for("[bold]x[/]")
        await driver.press("end")
        await driver.settle()
        assert "[bold]x[/]" in driver.text

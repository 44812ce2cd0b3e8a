"""One TOML file: theme, keys, commands of one's own, and what the workbench remembers."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from core.commands import COMMANDS, Subject
from core.model import command as commands
from core.model.machine import MachineKey
from core.model.query import ProjectView
from tests.support.fake_client import SHOP, FakeClient, machine
from tests.tui.conftest import Driver, Start
from tui import settings
from tui.bindings import CONSOLE, LOG, OWN
from tui.keys import Keymap, changes
from tui.keys import commands as known
from tui.panes.ordering import Order

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(settings.schema())


def write(text: str) -> None:
    settings.file().parent.mkdir(parents=True, exist_ok=True)
    settings.file().write_text(text)


def test_the_committed_schema_is_that_of_the_model() -> None:
    committed = (ROOT / "docs" / "settings.schema.json").read_text()
    assert committed == settings.schema_text(), "the model changed: run `make schema`"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_the_example_in_the_documentation_is_right() -> None:
    page = (ROOT / "docs" / "workbench.md").read_text()
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    VALIDATOR.validate(tomllib.loads(example))


def test_the_line_that_is_wrong_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('theme = "nord"\nread_only = maybe\n')
    _, error = settings.load(file)
    assert error is not None
    assert error.problem.what == "settings.toml, line 2: Invalid value"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("theme = 1", "has to be text"),
        ('[[commands]]\nname = "x"', "needs exactly one of"),
        ('[[commands]]\nname = "x"\nline = "up"\nhost = "ls"', "needs exactly one of"),
        ('[[commands]]\nname = "x"\non = "box"\nguest = "ls"', "has to be on a machine"),
        ('[[commands]]\nname = "x"\nline = "up"\nhelpp = "x"', "line 4: Unknown key 'helpp' in commands[0]"),
        ('[[commands]]\nname = "x"\nline = "up"\non = "bos"', 'it has to be "anything", "box"'),
        ('[[commands]]\nname = "X Y"\nline = "up"', "text that matches"),
        ("theme = ", "Invalid value"),
        ('[layout]\ntoured = true\n\ntheme = "nord"\n', "line 4: theme stands in a table of [layout]"),
        ('[layout.whereabouts."/x".filters]\n\nnotify = "always"', "line 3: notify stands in a table"),
    ],
)
def test_what_is_wrong_is_said_and_the_defaults_are_used(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    found, error = settings.load(file)
    assert found == settings.Settings()
    assert error is not None
    assert why in error.problem.what


def test_remembering_keeps_everything_else(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('# mine\ntheme = "nord"  # cold\n\n[keys]\n"machine.up" = "f5"\n')
    watched = settings.Watched(file)
    watched.remember("layout.screen", "half")
    watched.remember("theme", "dark")
    assert watched.current.layout.screen is settings.Screen.HALF
    assert "# mine" in file.read_text()
    assert "# cold" in file.read_text()
    assert watched.current.keys == {"machine.up": "f5"}
    assert not watched.again()


def test_what_the_workbench_writes_first_says_where_settings_go(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    watched = settings.Watched(file)
    watched.remember("layout.screen", "half")
    watched.remember("theme", "nord")
    above, layout, _ = file.read_text().partition("[layout]\n")
    assert layout and "They stand above [layout]" in above and 'theme = "nord"' in above
    assert watched.trouble is None


def test_every_binding_has_an_id_of_its_own_and_can_have_another_key() -> None:
    ids = [what.id for what in (*known(), *OWN, *CONSOLE, *LOG)]
    assert len(set(ids)) == len(ids)
    keymap = Keymap(dict.fromkeys(ids, "f12"))
    assert {keymap.key(id) for id in ids} == {"f12"}


def test_keys_of_nothing_and_keys_twice_are_told() -> None:
    found = Keymap({"machine.upp": "f5", "machine.up": "h"}).complaints
    assert found == (
        "There is no command 'machine.upp' to give a key to.",
        "The key 'h' is machine.halt's as well as machine.up's.",
    )


@pytest.mark.parametrize(
    "key", ["f5", "ctrl+x", "X", "+", "ctrl++", "right_square_bracket", "alt+enter", "é"]
)
def test_keys_that_there_are(key: str) -> None:
    keymap = Keymap({"machine.halt": key})
    assert (keymap.key("machine.halt"), keymap.complaints) == (key, ())


@pytest.mark.parametrize("key", ["nokey", "ctrl+nokey", "strg+x", "f99", "ctrl+"])
def test_a_key_that_there_is_none_of_is_told_and_the_usual_one_stays(key: str) -> None:
    keymap = Keymap({"machine.halt": key})
    assert keymap.key("machine.halt") == "h"
    assert keymap.complaints == (f"There is no key {key!r} to give to machine.halt.",)


def test_read_only_leaves_no_key_that_changes_anything() -> None:
    keymap = Keymap(read_only="the settings")
    for spec in COMMANDS:
        if spec.destructive or (spec.struct is not None and not spec.id.startswith("box.")):
            assert changes(spec), spec.id
            assert keymap.key(spec.id) == ""
            assert keymap.forbids(spec)
    for kind in Subject:
        assert not any(changes(spec) for spec in keymap.footer(kind))
    assert keymap.key("operation.logs") == "l"
    assert keymap.key("workbench.filter") == "/"


async def test_read_only_refuses_by_the_prompt_and_the_palette_too(start: Start, world: FakeClient) -> None:
    write("read_only = true\n")
    async with start() as driver:
        await driver.wait_for("read-only")
        assert "d Destroy" not in driver.text
        for key, title in (("d", "Destroy"), ("h", "Halt"), ("n", "New machine"), ("e", "Edit")):
            await driver.press(key)
            await driver.wait_for(f"{title}: The workbench is read-only, by the settings.")
        await driver.press("colon")
        await driver.type("destroy web")
        await driver.press("enter")
        await driver.wait_for("Destroy: The workbench is read-only, by the settings.")
        await driver.press("ctrl+p")
        await driver.type("halt")
        await driver.wait_for("is read-only")
        assert world.submitted == []


async def test_edited_settings_are_in_force_at_once(start: Start, world: FakeClient) -> None:
    async with start() as driver:
        write('theme = "nord"\n[keys]\n"machine.up" = "f5"\n')
        driver.app._look_for_edits()
        assert driver.app.look.theme.name == "nord"
        await driver.press("u")
        assert world.submitted == []
        await driver.press("f5")
        await submitted(driver)
        write("broken")
        driver.app._look_for_edits()
        await driver.wait_for("settings.toml: Expected")
        assert driver.bench.keymap.key("machine.up") == "f5"


async def submitted(driver: Driver, count: int = 1) -> None:
    for _ in range(2000):
        if len(driver.world.submitted) >= count:
            return
        await driver.settle()
    raise AssertionError(driver.text)


CUSTOM = """
[[commands]]
name = "nginx"
title = "Nginx only"
key = "f6"
line = "provision --only nginx"
[[commands]]
name = "top"
key = "f7"
guest = "top"
"""


async def test_commands_of_ones_own_have_keys_names_and_places_in_the_palette(
    start: Start, world: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(CUSTOM)
    sent: list[bytes] = []
    monkeypatch.setattr("tui.console.session.Session.send", lambda _session, data: sent.append(data))
    async with start() as driver:
        await driver.press("f6")
        await submitted(driver)
        assert world.submitted[-1] == commands.Provision(machine=MachineKey(SHOP, "web"), only=("nginx",))
        await driver.press("colon")
        await driver.type("custom.n")
        await driver.press("tab", "enter")
        await submitted(driver, 2)
        await driver.press("ctrl+p")
        await driver.type("nginx")
        await driver.wait_for("f6")
        await driver.press("escape", "2", "f7")
        assert not driver.app.consoles.all
        await driver.press("1", "f7")
        assert len(driver.app.consoles.all) == 1
        assert sent == [b"top\r"]


async def test_the_order_of_each_list_is_remembered(start: Start) -> None:
    async with start() as driver:
        usual = [row.key for row in driver.bench.lists.machines.rows]
        await driver.press("comma", "full_stop", "2", "comma")
        await driver.wait_for("Sorted by name.")
    async with start() as driver:
        lists = driver.bench.lists
        assert [row.key for row in lists.machines.rows] == sorted(usual, reverse=True) != usual
        assert (lists.machines.sorted_by, lists.boxes.sorted_by, lists.builds.sorted_by) == (
            "-name",
            "name",
            "",
        )
        await driver.press("full_stop", "comma", "comma", "comma")
        await driver.wait_for("In the usual order.")
    async with start() as driver:
        assert [row.key for row in driver.bench.lists.machines.rows] == usual


@pytest.mark.parametrize("word", ["", "-", "name", "-state", "gone", "-gone"])
def test_an_order_is_read_as_it_was_written(word: str) -> None:
    columns = ("", "name", "state")
    assert Order.read(word, columns).word(columns) == ("" if "gone" in word else word)


async def test_room_that_nothing_would_be_seen_of_is_not_remembered(start: Start) -> None:
    async with start(size=(80, 24)) as driver:
        for key in ("f", "plus", "underscore"):
            await driver.press(key)
            await driver.wait_for("this side has all the room already")
            await driver.press("1")
        assert settings.load(settings.file())[0].layout.screen is settings.Screen.NORMAL


async def test_the_room_of_a_side_changes_and_is_remembered(start: Start) -> None:
    async with start() as driver:
        await driver.press("enter", "plus", "plus")
        assert not driver.bench.lists.display
        await driver.press("escape")
        assert driver.bench.lists.display
        assert not driver.bench.detail.display
    async with start() as driver:
        assert not driver.bench.detail.display
        await driver.press("plus")
        assert driver.bench.detail.display
        await driver.press("f")
        assert not driver.bench.detail.display
        await driver.press("underscore", "underscore")
        assert driver.bench.detail.display


async def test_another_project_is_gone_to(start: Start, world: FakeClient) -> None:
    for root in ("/srv/a/blog", "/srv/b/blog"):
        made = machine("front", project=root)
        world.machines[str(made.key)] = made
        world.projects[root] = ProjectView(root=root, name="blog", machines=("front",))
    async with start() as driver:
        await driver.press("P", "enter")
        await driver.wait_for("blog (a/blog)" if "blog (a/blog)" in driver.text else "a/blog")
        assert "b/blog" in driver.text
        await driver.press("P")
        await driver.type("b/blog")
        await driver.press("enter")
        assert driver.app.bridge.project == "/srv/b/blog"
        assert [row.key for row in driver.bench.lists.machines.rows] == ["/srv/b/blog:front"]


async def test_pane_row_tab_and_filters_are_as_they_were_left_in_each_project(
    start: Start, world: FakeClient
) -> None:
    other = machine("front", project="/srv/blog")
    world.machines[str(other.key)] = other
    world.projects["/srv/blog"] = ProjectView(root="/srv/blog", name="blog", machines=("front",))
    async with start() as driver:
        await driver.press("slash")
        await driver.type("web")
        await driver.press("enter", "3", "down", "right_square_bracket", "right_square_bracket")
        assert driver.bench.detail.active == "log"
        left = driver.bench.choice.key
        await driver.press("P")
        await driver.type("blog")
        await driver.press("enter")
        assert (driver.bench.pane, driver.bench.lists.machines.pattern) == ("machines", "")
        await driver.press("P")
        await driver.type("shop")
        await driver.press("enter")
        assert (driver.bench.pane, driver.bench.choice.key) == ("builds", left)
        assert driver.bench.lists.machines.pattern == "web"
        driver.bench.actions.perform_id("workbench.quit")
    async with start() as driver:
        assert (driver.bench.pane, driver.bench.choice.key) == ("builds", left)
        assert driver.bench.detail.active == "log"
        assert driver.bench.lists.builds.has_focus
        assert "/web  1 of 5" in driver.text
        await driver.press("1", "escape")
        assert driver.bench.lists.machines.pattern == ""


async def test_the_menu_is_about_the_selected_thing(start: Start) -> None:
    async with start() as driver:
        await driver.press("m")
        await driver.wait_for("Suspend")
        assert "web is running, not suspended." in driver.text
        assert "Add box" not in driver.text


async def test_the_menu_of_a_box_has_what_keys_do_there(start: Start) -> None:
    async with start() as driver:
        await driver.press("2", "m")
        await driver.wait_for("Add box")
        assert "Retry from here" not in driver.text
        assert "Edit the machine" not in driver.text


async def test_what_has_not_failed_is_not_offered_again(start: Start) -> None:
    async with start() as driver:
        await driver.press("down", "down", "m")
        await driver.type("retry")
        await driver.wait_for("What was done last with cache has not failed.")


async def test_the_overview_names_the_user_s_own_keys(start: Start) -> None:
    write('[keys]\n"machine.up" = "f5"\n"machine.destroy" = ""\n')
    async with start() as driver:
        await driver.press("down", "down")
        await driver.wait_for("f5 starts it")
        assert "removes it" not in driver.text

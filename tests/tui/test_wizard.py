"""A machine, or a project with one, is described in a form, shown, and written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from textual.widgets import Input

from core.model.machine import MachineState
from core.projects.reader import load
from tests.support.fake_client import FakeClient, machine
from tests.support.waiting import until
from tests.tui.conftest import Driver, Start
from tui.wizard.fields import summary

SHOP = """\
# The shop.
[project]
name = "shop"

[machines.web]
box = "debian/bookworm64"  # as in production
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "boxwright.toml").write_text(SHOP)
    return folder


async def fill(driver: Driver, **values: str) -> None:
    for name, text in values.items():
        driver.app.screen.query_one(f"#field-{name}").focus()
        await driver.type(text)


async def press_button(driver: Driver, *keys: str) -> None:
    from tui.dialogs.base import Buttons

    driver.app.screen.query_one(Buttons).focus()
    await driver.press(*(keys or ("enter",)))


async def choose_box(driver: Driver, text: str) -> None:
    driver.app.screen.query_one("#field-box").focus()
    await driver.press("enter")
    await driver.wait_for("a part of its name")
    await driver.type(text)
    await driver.press("enter")
    await driver.wait_for("New ")


async def test_a_machine_is_added_to_the_project_and_its_comments_stay(
    start: Start, shop: Path, world: FakeClient
) -> None:
    async with start(project=str(shop)) as driver:
        await driver.press("n")
        await driver.wait_for("New machine")
        await fill(driver, name="db", hostname="db")
        await choose_box(driver, "me/mine")
        driver.app.screen.query_one("#field-ports").focus()
        await driver.press("enter")
        await driver.wait_for("Ports: a new one")
        await fill(driver, guest="5432", host="15432")
        await press_button(driver)
        await driver.wait_for("guest 5432, host 15432")
        await press_button(driver)
        await driver.wait_for("1 entry")
        await press_button(driver)
        await driver.wait_for("+ [machines.db]")
        await press_button(driver)
        await driver.wait_for("db is in the project")
        for name in ("cache", "db", "web"):
            world.machine(machine(name, MachineState.ABSENT, project=str(shop)))
        await until(lambda: driver.bench.choice.title == "db")
    text = (shop / "boxwright.toml").read_text()
    assert text.startswith(SHOP)
    assert tomllib.loads(text)["machines"]["db"] == {
        "box": "me/mine",
        "hostname": "db",
        "ports": [{"guest": 5432, "host": 15432}],
    }
    assert load(shop).machines["db"].cpus == 1


async def test_mistakes_are_told_before_anything_is_shown_or_written(start: Start, shop: Path) -> None:
    async with start(project=str(shop)) as driver:
        await driver.press("n")
        await driver.wait_for("New machine")
        await press_button(driver)
        await driver.wait_for("name is needed")
        await fill(driver, name="web")
        await choose_box(driver, "x")
        await press_button(driver)
        await driver.wait_for("There is a machine 'web' already")
        await fill(driver, name="2")
        driver.app.screen.query_one("#field-memory").focus()
        await driver.type("much")
        await press_button(driver)
        await driver.wait_for("memory is")
    assert (shop / "boxwright.toml").read_text() == SHOP


async def test_one_goes_back_from_the_file_to_the_form_and_nothing_is_lost(start: Start, shop: Path) -> None:
    async with start(project=str(shop)) as driver:
        await driver.press("n")
        await driver.wait_for("New machine")
        await fill(driver, name="db")
        await choose_box(driver, "x")
        await driver.press("ctrl+s")
        await driver.wait_for("+ [machines.db]")
        await press_button(driver, "right", "enter")
        await driver.wait_for("New machine")
        assert driver.app.screen.query_one("#field-name").value == "db"
        await driver.press("escape")
    assert (shop / "boxwright.toml").read_text() == SHOP


async def test_escape_asks_before_what_was_described_in_lists_is_lost(start: Start, shop: Path) -> None:
    async with start(project=str(shop)) as driver:
        await driver.press("n")
        await driver.wait_for("New machine")
        driver.app.screen.query_one("#field-ports").focus()
        await driver.press("enter")
        await driver.wait_for("Ports: a new one")
        await driver.type("80")
        await driver.press("ctrl+s")
        await driver.wait_for("guest 80")
        await driver.press("escape")
        await driver.wait_for("what was changed in this list")
        await driver.press("escape")
        await driver.press("ctrl+s")
        await driver.wait_for("1 entry: 80")
        await driver.press("escape")
        await driver.wait_for("what was described here, with its ports")
        await driver.press("right", "enter")
        await driver.settle()
        assert "New machine" not in driver.text
    assert (shop / "boxwright.toml").read_text() == SHOP


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_project_begins_where_there_is_none(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    folder = tmp_path / "my shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with start(project="", size=size) as driver:
        await driver.press("n")
        await driver.wait_for("Where?")
        await driver.press("enter")
        await driver.wait_for("New project")
        await choose_box(driver, "debian/bookworm64")
        await press_button(driver)
        await driver.wait_for("New file")
        await press_button(driver)
        await driver.wait_for("default is in the project")
    assert load(folder).name == "my-shop"
    assert load(folder).machines["default"].box == "debian/bookworm64"


async def test_where_all_projects_are_shown_another_one_begins(
    start: Start, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with start(project=str(shop)) as driver:
        await driver.press("n")
        await driver.wait_for("New machine")
        await driver.press("escape", "P")
        await driver.wait_for("all projects")
        await driver.press("enter", "n")
        await driver.wait_for("Where?")
        await driver.press("enter")
        await driver.wait_for("New project")
        assert driver.app.screen.query_one("#field-folder").value == str(folder)


async def test_the_store_and_the_builds_are_offered_and_the_server_is_asked_on_request(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        from tui.wizard.machine import box_offers

        offers = box_offers(driver.app.bridge.state, driver.app.bridge.project)
        built = [offer for offer in offers if offer.where == "built here"]
        stored = [offer for offer in offers if offer.where == "in the store"]
        assert built and built[0].box == {"build": built[0].name}
        assert {offer.name for offer in stored} == {
            box.name for box in driver.app.bridge.state.boxes.values()
        }


async def test_where_all_projects_are_listed_it_is_asked_where_the_machine_is_to_be(
    start: Start, world: FakeClient, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.machines.clear()
    known = machine("web", project=str(shop))
    world.machines[str(known.key)] = known
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    async with start(project="") as driver:
        await driver.press("n")
        await driver.wait_for("Where?")
        await driver.press("enter")
        await driver.wait_for("New project")
        assert driver.app.screen.query_one("#field-folder", Input).value == str(empty)
        await driver.press("escape")
        await driver.press("n")
        await driver.wait_for("Where?")
        await driver.type("shop")
        await driver.press("enter")
        await driver.wait_for("New machine")


def test_what_an_entry_holds_is_told_as_words() -> None:
    told = summary(
        {"script": "setup", "args": ["echo", "hi"], "env": {"A": "1"}, "auto_correct": False, "cwd": ""}
    )
    assert told == "script setup, args echo hi, env A 1, auto correct no"


async def test_a_folder_of_templates_gets_a_file_in_which_they_stay_builds(
    start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.pkr.hcl").write_text('source "null" "x" { communicator = "none" }')
    async with start(project=str(folder)) as driver:
        await driver.press("n")
        await driver.wait_for("New project")
        await choose_box(driver, "debian/bookworm64")
        await press_button(driver)
        await driver.wait_for("New file")
        await press_button(driver)
        await driver.wait_for("default is in the project")
    made = load(folder)
    assert (made.name, made.builds["site"].template, [*made.machines]) == ("site", ".", ["default"])

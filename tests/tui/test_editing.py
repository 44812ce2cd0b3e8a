"""The project file's part of a machine is looked at and edited; what is wrong is not written."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest

from core.model.problem import Problem
from tests.support.fake_client import SHOP, FakeClient
from tests.tui.conftest import Driver, Start

SOURCE = '[project]\nname = "shop"\n\n[machines.web]\nbox = "debian/bookworm64"\n'


@pytest.fixture
def file(world: FakeClient, tmp_path: Path) -> Path:
    found = tmp_path / "boxwright.toml"
    found.write_text(SOURCE)
    world.projects[SHOP] = msgspec.structs.replace(world.projects[SHOP], file=str(found))
    return found


async def config(driver: Driver) -> None:
    driver.bench.detail.activate("config")
    driver.bench.focus_detail()
    await driver.wait_for('box = "debian/bookworm64"')


async def test_what_describes_a_machine_is_shown_and_edited(start: Start, file: Path) -> None:
    async with start() as driver:
        await config(driver)
        assert "[project]" not in driver.text
        await driver.press("e")
        await driver.wait_for("ctrl+s writes it")
        await driver.press("down", "down")
        await driver.type("cpus")
        await driver.press("ctrl+s")
        await driver.wait_for("not valid TOML")
        assert file.read_text() == SOURCE
        await driver.press("equals_sign", "2", "ctrl+s")
        await driver.wait_for("Wrote")
        assert file.read_text() == SOURCE + "cpus=2\n"


async def test_lines_have_the_numbers_of_the_file_and_changes_are_not_lost_by_escape(
    start: Start, file: Path
) -> None:
    number = SOURCE.splitlines().index("[machines.web]") + 1
    async with start() as driver:
        await config(driver)
        await driver.press("e")
        await driver.wait_for(f"{number}  [machines.web]")
        await driver.press("x", "escape")
        await driver.wait_for("Leave without writing?")
        # Cancel is chosen.
        await driver.press("enter")
        await driver.wait_for("x[machines.web]")
        await driver.press("escape")
        await driver.wait_for("Leave without writing?")
        await driver.press("right", "enter")
        await driver.settle()
        assert driver.app.screen is driver.bench
        assert file.read_text() == SOURCE


async def test_a_file_that_was_broken_meanwhile_says_so(start: Start, file: Path) -> None:
    async with start() as driver:
        await config(driver)
        file.write_text(SOURCE + "boks = 1\n")
        driver.bench.detail.update()
        await driver.wait_for("Unknown key 'boks'")


async def test_the_editor_of_the_user_writes_only_what_is_right(
    start: Start, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\necho "$WRITES" >> "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    monkeypatch.setattr("tui.program.BoxwrightApp.suspend", lambda _app: contextlib.nullcontext())
    monkeypatch.setenv("WRITES", "memory = '2GiB'")
    async with start() as driver:
        await driver.press("E")
        await driver.wait_for("Wrote")
        assert file.read_text().endswith("memory = '2GiB'\n")
        before = file.read_text()
        monkeypatch.setenv("WRITES", "boks = 1")
        await driver.press("E")
        await driver.wait_for("ctrl+s writes it")
        assert file.read_text() == before
        await driver.press("escape")
        await driver.settle()
        assert file.read_text() == before


async def test_the_settings_are_opened_from_the_palette(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\necho \'theme = "nord"\' >> "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    monkeypatch.setattr("tui.program.BoxwrightApp.suspend", lambda _app: contextlib.nullcontext())
    async with start() as driver:
        await driver.press("ctrl+p")
        await driver.type("settings")
        await driver.press("enter")
        await driver.wait_for("settings.toml")
        driver.app._look_for_edits()
        assert driver.app.look.theme.name == "nord"
        assert "# Keys, colours and commands" in driver.app.settings.path.read_text()


async def test_operations_are_listed_with_what_came_of_them(start: Start, world: FakeClient) -> None:
    world.log("000000", b"what web said\n", 1)
    async with start(size=(140, 40)) as driver:
        await driver.press("O")
        await driver.wait_for("up db")
        assert "ended with status 100" in driver.text
        await driver.press("down", "enter")
        await driver.wait_for("apt-get install -y nginxx")
        await driver.press("enter")
        await driver.wait_for("what web said")
        await driver.press("escape")
        await driver.wait_for("1 Machines")


async def test_a_failure_says_what_can_be_done(start: Start, world: FakeClient) -> None:
    world.log("000000", b"what web said\n", 1)
    async with start() as driver:
        await driver.press("enter", "right_square_bracket")
        await driver.wait_for("a Retry")
        for words in ("s Shell", "e Edit", "l Log", "Y Copy", "d Destroy"):
            assert words in driver.text
        await driver.press("Y")
        await driver.wait_for("Copied all of it: 1 line.")
        assert driver.app.clipboard == "what web said\n"


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Mends the name of a package in whatever it is called for."""
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nfor file; do echo "apt-get install -y nginx" > "$file"; done\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setattr("tui.program.BoxwrightApp.suspend", lambda _app: contextlib.nullcontext())
    return editor


def fails_in(world: FakeClient, script: Path, subject: str, **more: object) -> None:
    """What was done last to that subject failed in a script."""
    script.write_text("apt-get install -y nginxx\n")
    problem = Problem(what="The script failed.", files=(str(script),))
    failed = world.operations["000000"]
    world.operations["000000"] = msgspec.structs.replace(failed, subject=subject, problem=problem, **more)


@pytest.mark.usefixtures("editor")
async def test_e_edits_the_script_that_failed(start: Start, world: FakeClient, tmp_path: Path) -> None:
    fails_in(world, script := tmp_path / "setup.sh", f"{SHOP}:web")
    async with start(size=(80, 24)) as driver:
        await driver.press("enter", "right_square_bracket")
        await driver.wait_for("a Retry  s Shell  e Edit setup.sh  E Project  l Log  Y Copy  d Destroy")
        await driver.press("e")
        await driver.wait_for("Wrote setup.sh; a retries from there, E edits the project's file.")
    assert script.read_text() == "apt-get install -y nginx\n"


@pytest.mark.usefixtures("editor")
async def test_e_edits_the_script_of_a_build_that_failed_and_asks_nothing(
    start: Start, world: FakeClient, tmp_path: Path
) -> None:
    fails_in(world, script := tmp_path / "tools.sh", f"build:{SHOP}:windows", command="build.run")
    async with start() as driver:
        await driver.press("3", "down", "enter", "right_square_bracket")
        await driver.wait_for("e Edit tools.sh")
        await driver.press("e")
        await driver.wait_for("Wrote tools.sh; a retries from there")
    assert script.read_text() == "apt-get install -y nginx\n"


async def test_a_build_shows_its_part_and_is_edited(start: Start, file: Path) -> None:
    file.write_text(SOURCE + '\n[builds.base]\nsource = { bootstrap = { suite = "bookworm" } }\n')
    async with start() as driver:
        await driver.press("3")
        driver.bench.detail.activate("config")
        await driver.wait_for('source = { bootstrap = { suite = "bookworm" } }')
        assert "[machines.web]" not in driver.text
        await driver.press("e")
        await driver.wait_for("ctrl+s writes it")


async def test_a_template_is_shown_as_it_is_with_the_reason(
    start: Start, world: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a.pkr.hcl", tmp_path / "b.pkr.hcl"
    first.write_text('source "null" "here" {}\n')
    second.write_text('build {\n  sources = ["null.here"]\n}\n')
    world.projects[SHOP] = msgspec.structs.replace(world.projects[SHOP], file=str(tmp_path))
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nfor file; do echo "# seen" >> "$file"; done\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    async with start() as driver:
        monkeypatch.setattr(driver.app, "suspend", contextlib.nullcontext)
        await driver.press("3")
        driver.bench.detail.activate("config")
        await driver.wait_for('sources = ["null.here"]')
        assert 'source "null" "here"' in driver.text
        assert "It is described by a template" in driver.text
        for times, key in enumerate(("e", "E"), 1):
            await driver.press(key)
            await driver.wait_for("Wrote")
            assert first.read_text().count("# seen\n") == times
    assert second.read_text().endswith("# seen\n")

"""New projects: what is written is right, and nothing of the user's is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import resources
from core.errors import NotFoundError, UsageError
from core.projects import load
from core.projects.init import DEFAULT_BOX, create, templates
from core.projects.validate import problems


def test_a_minimal_project_is_named_after_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "My shop (2)"
    assert create(folder) == (folder / "boxwright.toml",)
    project = load(folder)
    assert project.name == "My-shop-2"
    assert project.machines["default"].box == DEFAULT_BOX
    assert problems(folder) == ()


def test_every_line_that_is_offered_as_a_comment_is_right(tmp_path: Path) -> None:
    create(tmp_path)
    file = tmp_path / "boxwright.toml"
    lines = file.read_text().splitlines()
    offered = [
        line.removeprefix("# ") if " = " in line or line.startswith("# [[") else line for line in lines
    ]
    file.write_text("\n".join(offered))
    machine = load(tmp_path).machines["default"]
    assert (machine.version, len(machine.ports), len(machine.folders)) == (">= 12.0, < 13", 1, 1)
    assert machine.provision[0].name == "packages"


def test_a_box_of_any_name(tmp_path: Path) -> None:
    box = './boxes/"odd" \\ é.box'
    create(tmp_path, box=box, name="shop")
    assert load(tmp_path).machines["default"].box == box


@pytest.mark.parametrize("template", [item.name for item in templates()])
def test_every_template_makes_a_valid_project(tmp_path: Path, template: str) -> None:
    written = create(tmp_path, template=template, name="mine")
    assert tmp_path / "boxwright.toml" in written
    assert load(tmp_path).name == "mine"
    assert problems(tmp_path) == ()


def test_every_sample_project_is_a_template_with_a_description() -> None:
    samples = {file.parent.name for file in resources.sample_projects().glob("*/boxwright.toml")}
    assert {item.name for item in templates()} == {"minimal", *samples}
    assert all(item.description for item in templates())


def test_nothing_is_replaced_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "boxwright.toml"
    file.write_text("mine")
    with pytest.raises(UsageError, match="already") as caught:
        create(tmp_path)
    assert "--force" in caught.value.problem.remedy
    assert file.read_text() == "mine"
    with pytest.raises(UsageError) as caught:
        create(tmp_path, box="my box.tar")
    assert caught.value.problem.remedy == "boxwright init 'my box.tar' --force"
    create(tmp_path, force=True)
    assert load(tmp_path).machines


def test_wrong_requests_write_nothing(tmp_path: Path) -> None:
    target = tmp_path / "new"
    with pytest.raises(NotFoundError, match="no template 'tinny'"):
        create(target, template="tinny")
    with pytest.raises(UsageError, match="cannot be the name"):
        create(target, name="two words")
    with pytest.raises(UsageError, match="not with both"):
        create(target, box="x", template="tiny")
    assert not target.exists()

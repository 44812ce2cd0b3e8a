"""The part of a project file that describes a machine is found, and put back changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BoxwrightError, BusyError, NotFoundError
from core.projects.part import part_of, put_back

SOURCE = """\
# The shop.
[project]
name = "shop"

[machines.web]   # in front
box = "one"
# Of web still.

[[machines.web.provision]]
shell = "true"

# What the shop sells from.
[machines.db]
box = "two"
"""


def project(folder: Path, source: str = SOURCE) -> Path:
    file = folder / "boxwright.toml"
    file.write_text(source)
    return file


def test_a_machine_has_its_tables_and_the_comments_inside_of_them(tmp_path: Path) -> None:
    part = part_of(project(tmp_path), "machines", "web")
    assert part.text.startswith("[machines.web]   # in front\n")
    assert part.text.endswith('shell = "true"\n')
    assert part_of(part.file, "machines", "db").text == '[machines.db]\nbox = "two"\n'


def test_what_is_put_back_changes_nothing_else(tmp_path: Path) -> None:
    file = project(tmp_path)
    put_back(part_of(file, "machines", "db"), '[machines.db]\nbox = "three"\ncpus = 2')
    assert file.read_text() == SOURCE.replace('box = "two"', 'box = "three"\ncpus = 2')


def test_what_is_wrong_is_not_written(tmp_path: Path) -> None:
    file = project(tmp_path)
    with pytest.raises(BoxwrightError, match="boks"):
        put_back(part_of(file, "machines", "db"), '[machines.db]\nboks = "three"\n')
    assert file.read_text() == SOURCE


def test_another_ones_change_is_not_undone(tmp_path: Path) -> None:
    file = project(tmp_path)
    part = part_of(file, "machines", "db")
    file.write_text(SOURCE + "# new\n")
    with pytest.raises(BusyError):
        put_back(part, '[machines.db]\nbox = "three"\n')


def test_tables_that_stand_apart_are_the_whole_file(tmp_path: Path) -> None:
    apart = SOURCE + '\n[[machines.web.provision]]\nshell = "false"\n'
    assert part_of(project(tmp_path, apart), "machines", "web").text == apart


def test_a_machine_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="'cache'"):
        part_of(project(tmp_path), "machines", "cache")


def test_machines_in_one_line_each(tmp_path: Path) -> None:
    lines = '[project]\nname = "p"\n[machines]\nweb = { box = "one" }\ndb = { box = "two" }\n'
    assert part_of(project(tmp_path, lines), "machines", "db").text == 'db = { box = "two" }\n'


def test_a_build_has_its_part_too(tmp_path: Path) -> None:
    build = '[builds.base]\nsource = { bootstrap = { suite = "bookworm" } }\n'
    found = part_of(project(tmp_path, f"{SOURCE}\n{build}"), "builds", "base")
    assert found.text == build

"""Templates in JSON."""

from __future__ import annotations

from typing import Any

import pytest

from core.templates import load
from core.templates.model import Deferred, Secret, reveal
from core.templates.values.show import show
from tests.templates.conftest import CORPUS, Write, given, read, said

HERE = {"HOME": "/home/me"}


def test_everything_in_one() -> None:
    template = load(CORPUS / "shop.json", given(**HERE)).template
    assert template.description == "Two machines that do nothing."
    assert template.required_version == ">= 1.4.0"
    values = {one.name: one.value for one in template.variables}
    assert values == {
        "suite": "bookworm",
        "home": "/home/me",
        "image": "shop-bookworm",
        "count": "3",
        "token": Secret("t0ps3cret"),
    }
    null, note = template.builds[0].sources
    assert (null.kind, null.name, null.settings) == ("null", "null", {"communicator": "none"})
    assert note.settings == {"content": "shop-bookworm X", "target": f"{CORPUS}/note.txt"}
    shell, file = template.builds[0].provisioners
    assert shell.settings == {
        "inline": ["echo shop-bookworm", Deferred("echo {{build `ID`}}", "build"), "echo {{.State}}"],
        "environment_vars": [Secret("TOKEN=t0ps3cret")],
        "execute_command": ["sh", "-c", "{{.Vars}} {{.Script}} 3"],
    }
    assert (shell.only, shell.pause_before, shell.max_retries) == (("note",), "1s", 2)
    assert shell.override == {"null": {"inline": ["true"]}}
    assert file.exclude == ("note",)
    on_error = template.builds[0].on_error
    assert on_error is not None
    assert on_error.kind == "shell-local"
    chains = template.builds[0].post_processors
    assert [[one.kind for one in chain] for chain in chains] == [
        ["compress"],
        ["manifest"],
        ["compress", "checksum"],
    ]
    assert chains[2][1].keep_input_artifact is True
    assert chains[1][0].settings == {"output": "shop-bookworm.json"}


def test_what_the_running_build_knows() -> None:
    reading = load(CORPUS / "shop.json", given(**HERE))
    step = reading.template.builds[0].provisioners[0]
    found = reveal(reading.settings(step.id, {"ID": "i-1"}, {"name": "note", "type": "file"}))
    assert found["inline"] == ["echo shop-bookworm", "echo i-1", "echo {{.State}}"]


def test_values_from_files_and_the_command_line(write: Write) -> None:
    path = write(
        {
            "t.json": '{"variables": {"a": "1", "b": null}, '
            '"builders": [{"type": "null", "x": "{{user `a`}}{{user `b`}}"}]}',
            "v.json": '{"a": "2", "b": true}',
        }
    )
    from_file = given(files=(str(path.parent / "v.json"),))
    assert load(path, from_file).template.sources[0].settings == {"x": "2true"}
    both = given("b=3", files=(str(path.parent / "v.json"),))
    assert load(path, both).template.sources[0].settings == {"x": "23"}
    assert said(path) == ['1:26 The variable "b" has no value.']
    looked = load(path, given(), strict=False).template
    assert looked.sources[0].settings == {"x": Deferred("{{user `a`}}{{user `b`}}", "user `b`")}


def test_a_value_declares_its_variable(write: Write) -> None:
    path = write({"t.json": '{"builders": [{"type": "null", "x": "{{user `a`}}"}]}'})
    reading = read(path, "a=1")
    assert reading.template.sources[0].settings == {"x": "1"}
    assert reading.template.warnings[0].what == '"a" is given a value, but is no variable of this template.'


BUILDER = '"builders": [{"type": "null"}]'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1 The file ends where a value has to come."]),
        ("[]", ["1:1 The template is a list, not an object."]),
        ('{"builders": [1,]}', ["1:16 There is nothing behind this comma."]),
        ('{"builders" 1}', ['1:13 ":" has to come behind the key.']),
        ('{"a": 1 "b": 2}', ['1:9 "," or "}" has to come here.']),
        ('{"a": 1, "a": 2}', ['1:10 "a" stands twice.']),
        ('{"a": "x', ["1:7 This text has no closing quote on its line."]),
        (r'{"a": "\x"}', ["1:8 This escape means nothing in JSON."]),
        ("{ // no\n}", ["1:3 JSON has no comments."]),
        ("{}", ["1:1 The template has no builders."]),
        ('{"builder": []}', ["1:1 The template has no builders.", '1:2 A template has no "builder".']),
        ('{"builders": {}}', ['1:14 "builders" is an object, not a list.']),
        ('{"builders": [1]}', ["1:15 This builder is a number, not an object."]),
        ('{"builders": [{}]}', ["1:15 This builder has no type."]),
        ('{"builders": [{"type": "a"}, {"type": "a"}]}', ['1:39 Two builders are called "a".']),
        (
            "{" + BUILDER + ', "provisioners": [{"type": "x", "only": ["y"]}]}',
            ['1:74 "only" names "y", which is no builder of this template.'],
        ),
        (
            "{" + BUILDER + ', "provisioners": [{"type": "x", "max_retries": "y"}]}',
            ['1:80 "max_retries" has to be a whole number.'],
        ),
        (
            "{" + BUILDER + ', "provisioners": [{"type": "x", "override": {"y": {}}}]}',
            ['1:78 "override" names "y", which is no builder of this template.'],
        ),
        (
            "{" + BUILDER + ', "post-processors": [[["x"]]]}',
            ["1:55 A chain of post-processors cannot hold another one."],
        ),
        (
            "{" + BUILDER + ', "variables": {"a": []}}',
            ['1:53 The variable "a" is a list; it has to be text.'],
        ),
        ("{" + BUILDER + ', "sensitive-variables": ["a"]}', ['1:58 "a" is no variable.']),
        ("{" + BUILDER + ', "variables": {"a": "{{user `b`}}", "b": "{{user `a`}}"}}', None),
        ('{"builders": [{"type": "null", "a": "{{user `b`}}"}]}', ['1:40 user: there is no variable "b".']),
        ('{"builders": [{"type": "null", "a": "{{usr `b`}}"}]}', ['1:40 There is no function "usr".']),
        ('{"builders": [{"type": "null", "a": "x {{"}]}', ["1:40 {{ is never closed."]),
        ('{"builders": [{"type": "null", "a": "{{if true}}"}]}', ["1:38 This is never closed."]),
        (
            '{"builders": [{"type": "null", "a": "{{env `X`}}"}]}',
            ["1:40 env: the environment can only be read by the default of a variable."],
        ),
    ],
)
def test_mistakes(write: Write, text: str, expected: list[str] | None) -> None:
    found = said(write({"t.json": text}))
    if expected is None:
        assert any("needs itself" in one for one in found)
    else:
        assert found == expected


def test_all_mistakes_at_once(write: Write) -> None:
    text = """{
  "bilders": [],
  "builders": [
    {"name": "a"},
    {"type": "null", "x": "{{nope}}"}
  ],
  "provisioners": [
    {"type": "shell", "only": ["nul"]},
    "x"
  ]
}
"""
    assert [line.split(" ")[0] for line in said(write({"t.json": text}))] == [
        "2:3",
        "4:5",
        "5:30",
        "8:32",
        "9:5",
    ]


def test_the_console_renders_texts() -> None:
    reading = load(CORPUS / "shop.json", given(**HERE))
    value = reading.evaluate("{{user `image`}} {{timestamp}} {{isotime `2006`}}")
    assert value.raw == "shop-bookworm 1700000000 2023"
    assert show(reading.evaluate("{{user `token`}}")) == "<sensitive>"


@pytest.mark.parametrize("separator", ["\n", ""])
def test_secrets_are_in_nothing_that_is_shown(write: Write, separator: str) -> None:
    from core.templates.model import shown

    path = write({"t.json": separator.join((CORPUS / "shop.json").read_text().splitlines())})
    template: Any = load(path, given(**HERE)).template
    assert "t0ps3cret" not in str(shown(template))
    assert "t0ps3cret" not in repr(template)

"""HCL2 templates: variables, locals, sources, builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import NotFoundError
from core.templates import TemplateError, load
from core.templates.model import Deferred, Secret, reveal
from tests.templates.conftest import CORPUS, Write, given, read, said

NULL = 'source "null" "n" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.n"]\n}\n'


def test_a_folder_with_everything(tmp_path: Path) -> None:
    reading = read(CORPUS / "web")
    template = reading.template
    assert [Path(file).name for file in template.files] == [
        "build.pkr.hcl",
        "sources.pkr.hcl",
        "variables.pkr.hcl",
    ]
    packages = next(one for one in template.variables if one.name == "packages")
    assert (packages.type, packages.value, packages.default) == (
        "list(string)",
        ["nginx", "curl", "git"],
        ["nginx", "curl"],
    )
    assert Path(packages.set_by).name == "defaults.auto.pkrvars.hcl"
    build = template.builds[0]
    assert [source.address for source in build.sources] == ["null.first", "file.note", "null.renamed"]
    shell, file = build.provisioners
    assert (shell.only, shell.max_retries, shell.pause_before, shell.timeout) == (
        ("null.first",),
        3,
        "1s",
        "5m",
    )
    assert shell.settings["inline"] == [
        "echo shop-bookworm",
        Deferred('"echo $${HOME} ${build.ID}"', "build.ID"),
    ]
    assert shell.settings["environment_vars"] == [
        Secret("TOKEN=t0ps3cret"),
        Deferred('"NAME=${source.name}"', "source.name"),
    ]
    assert file.override == {"renamed": {"destination": "/tmp/y"}}
    assert [[one.kind for one in chain] for chain in build.post_processors] == [
        ["manifest"],
        ["checksum", "compress"],
    ]
    assert build.post_processors[0][0].keep_input_artifact is True


def test_what_the_running_build_knows() -> None:
    reading = read(CORPUS / "web")
    step = reading.template.builds[0].provisioners[0]
    found = reading.settings(step.id, {"ID": "i-1"}, {"name": "first", "type": "null"})
    assert reveal(found) == {
        "inline": ["echo shop-bookworm", "echo ${HOME} i-1"],
        "environment_vars": ["TOKEN=t0ps3cret", "NAME=first"],
    }


def test_newer_constructs() -> None:
    reading = read(CORPUS / "newer", SHOP_KEY="hush")
    template = reading.template
    assert template.required_version == ">= 1.7.0, < 2.0"
    assert [(one.name, one.version) for one in template.requirements] == [("qemu", "~> 1.0")]
    assert [one.address for one in template.data] == ["amazon-ami.base"]
    qemu, cloud = template.sources
    assert qemu.settings["http_content"] == {"/preseed.cfg": "d-i passwd/username string shop\n"}
    assert qemu.settings["network"] == [{"port": 8080, "name": "net0"}, {"port": 8081, "name": "net1"}]
    assert qemu.settings["ssh_password"] == Secret("hush-2")
    assert qemu.settings["boot_command"][0] == "<esc><wait>"
    assert isinstance(cloud.settings["source_ami"], Deferred)
    build = template.builds[0]
    assert [step.settings.get("inline") for step in build.provisioners[:2]] == [
        [Deferred('"echo ${provisioner.value} on ${source.type}"', "source.type")]
    ] * 2
    assert build.on_error is not None
    later = reading.settings(build.provisioners[1].id, {}, {"name": "base", "type": "qemu"})
    assert later == {"inline": ["echo two on qemu"]}
    assert build.post_processors[0][1].name == "tell"


def test_hcl_as_json() -> None:
    template = read(CORPUS / "small.pkr.json").template
    assert [(one.name, one.value) for one in template.variables] == [
        ("suite", "book${worm}"),
        ("names", ["a", "b"]),
    ]
    assert template.locals[0].value == "A-2"
    assert template.builds[0].provisioners[0].settings == {"inline": ["echo A-2"]}
    assert template.builds[0].post_processors[0][0].kind == "manifest"


def test_a_value_from_each_place_and_which_wins(write: Write, tmp_path: Path) -> None:
    path = write(
        {
            "a.pkr.hcl": 'variable "a" {\n  default = "default"\n}\n' + NULL,
            "z.auto.pkrvars.hcl": 'a = "auto"\n',
            "more.pkrvars.hcl": 'a = "file"\n',
            "more.json": '{"a": "json"}',
        }
    )

    def found(*variables: str, files: tuple[str, ...] = (), **environment: str) -> tuple[Any, str]:
        one = load(path, given(*variables, files=files, cwd=tmp_path, **environment)).template.variables[0]
        return one.value, Path(one.set_by).name

    assert found("a=line", files=("more.pkrvars.hcl",), PKR_VAR_a="env") == ("line", "--var")
    assert found(files=("more.pkrvars.hcl",), PKR_VAR_a="env") == ("file", "more.pkrvars.hcl")
    assert found(files=("more.pkrvars.hcl", "more.json")) == ("json", "more.json")
    assert found(PKR_VAR_a="env") == ("auto", "z.auto.pkrvars.hcl")
    (tmp_path / "z.auto.pkrvars.hcl").unlink()
    assert found(PKR_VAR_a="env") == ("env", "PKR_VAR_a")
    assert found() == ("default", "default")


@pytest.mark.parametrize(
    ("declared", "raw", "expected"),
    [
        ("type = string", "[1]", "[1]"),
        ("type = number", "1.5", 1.5),
        ("type = bool", "true", True),
        ("type = list(string)", '["a", 1]', ["a", "1"]),
        ("type = map(number)", '{ a = "1" }', {"a": 1}),
        ("type = set(string)", '["b", "a", "b"]', ["a", "b"]),
        ("type = tuple([string, bool])", "[1, true]", ["1", True]),
        ("type = object({ a = string, b = optional(number) })", "{ a = 1, c = 2 }", {"a": "1", "b": None}),
        ("type = any", '["a", 1]', ["a", 1]),
        ("default = 1", "2", 2),
        ("default = [1]", "[3, 4]", [3, 4]),
        ("", "plain [text", "plain [text"),
    ],
)
def test_values_have_their_types(write: Write, declared: str, raw: str, expected: Any) -> None:
    path = write({"a.pkr.hcl": f'variable "a" {{\n  {declared}\n}}\n' + NULL})
    assert read(path, f"a={raw}").template.variables[0].value == expected
    assert read(path, PKR_VAR_a=raw).template.variables[0].value == expected


def test_overrides_of_a_build_go_over_the_source(write: Write) -> None:
    path = write(
        {
            "a.pkr.hcl": 'source "null" "n" {\n  a = 1\n  b = 1\n  tag {\n    k = 1\n  }\n}\n'
            'build {\n  source "null.n" {\n    name = "x"\n    b = 2\n    tag {\n      k = 2\n    }\n  }\n}\n'
        }
    )
    source = read(path).template.builds[0].sources[0]
    assert (source.address, source.settings) == ("null.x", {"a": 1, "b": 2, "tag": [{"k": 1}, {"k": 2}]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nonsense {\n}\n", ['1:1 A template has no block "nonsense".']),
        ("a = 1\n", ['1:1 A template has no setting "a".']),
        (
            'variable "a" {\n  typ = string\n}\n',
            ['2:3 A variable has no setting "typ".', '1:1 The variable "a" has no value.'],
        ),
        ('variable "a" {\n  type = strin\n}\n', ['2:10 "strin" is no type.']),
        (
            'variable "a" {\n  type    = number\n  default = "x"\n}\n',
            ['3:13 The default of "a" does not have its type: The value is text, not a number.'],
        ),
        ('variable "a" {\n  default = var.b\n}\n', ['2:13 "var" has no meaning here.']),
        (
            'variable "a" {\n  default = 1\n}\nvariable "a" {\n  default = 2\n}\n',
            ['4:1 The variable "a" is declared twice.'],
        ),
        ('variable "a" "b" {\n}\n', ['1:1 This "variable" block has 2 labels, not 1.']),
        (
            'variable "a" {\n  default = 5\n  validation {\n'
            '    condition     = var.a > 10\n    error_message = "Too small."\n  }\n}\n',
            ['1:1 The value of "a" is refused: Too small.'],
        ),
        ("locals {\n  a = var.nope\n}\n", ['2:7 There is no variable "nope".']),
        ("locals {\n  a = local.b\n  b = local.a\n}\n", ['3:7 The local "a" needs itself.']),
        ("locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n", ['5:3 The local "a" is declared twice.']),
        ('locals {\n  a = env("X")\n}\n', ['2:7 The function "env" cannot be used here.']),
        ("locals {\n  a = build.ID\n}\n", ['2:7 "build" has no meaning here.']),
        ('local "a" {\n}\n', ["1:1 This local has no value."]),
        (
            'build {\n  sources = ["null.nope"]\n}\n',
            ['2:14 There is no source "null.nope".'],
        ),
        ("build {\n}\n", ["1:1 This build has no sources."]),
        (
            NULL + 'build {\n  sources = ["null.n", "source.null.n"]\n}\n',
            ['8:24 The build has the source "null.n" twice.'],
        ),
        (
            NULL + 'build {\n  sources = ["null.n"]\n  provisoner "shell" {\n  }\n}\n',
            ['9:3 A build has no block "provisoner".'],
        ),
        (
            NULL
            + 'build {\n  sources = ["null.n"]\n  provisioner "shell" {\n    only = ["null.m"]\n  }\n}\n',
            ['10:13 "only" names "null.m", which is no source of this build.'],
        ),
        (
            NULL + 'build {\n  sources = ["null.n"]\n  provisioner {\n  }\n}\n',
            ['9:3 This "provisioner" block has no labels, not 1.'],
        ),
        (
            NULL + 'build {\n  sources = ["null.n"]\n  post-processors {\n    manifest {\n    }\n  }\n}\n',
            ['10:5 A chain of post-processors has no block "manifest".'],
        ),
        ('source "null" "n" {\n  a = 1\n  a = 2\n}\n', ['3:3 "a" is set twice.']),
        ('source "null" "n" {\n}\nsource "null" "n" {\n}\n', ['3:1 The source "null.n" is declared twice.']),
        (
            'source "x" "n" {\n  dynamic "d" {\n    for_each = [1]\n    a = 1\n  }\n}\n',
            ['4:5 A dynamic block has no "a".'],
        ),
        (
            'source "x" "n" {\n  dynamic "d" {\n    content {\n    }\n  }\n}\n',
            ["2:3 This dynamic block has no for_each."],
        ),
        ('packer {\n  required_version = "new"\n}\n', ["2:22 That is no constraint on versions."]),
    ],
)
def test_mistakes(write: Write, text: str, expected: list[str]) -> None:
    assert sorted(said(write({"a.pkr.hcl": text}))) == sorted(expected)


def test_all_mistakes_at_once(write: Write) -> None:
    path = write(
        {
            "a.pkr.hcl": 'locals {\n  a = = 1\n  b = uper("x")\n  c = [1, 2\n  d = 3\n}\n'
            'e = "x${"\nsource "null" {\n}\nf \'x\'\nbuild {\n  sources = [\n    "null.nope",\n  ]\n}\n',
            "b.pkr.hcl": "locals {\n  z = nope.x\n}\n",
        }
    )
    places = [line.split(" ")[0] for line in said(path.parent)]
    assert places == ["2:7", "3:7", "5:3", "7:9", "8:1", "10:3", "13:5", "2:7"]


def test_no_template() -> None:
    with pytest.raises(NotFoundError, match="There is no template"):
        load("/nowhere/a.pkr.hcl", given())


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('variable "image" {\n  default = 1\n}\nlocals {\n  a = var.imgae\n}\n', 'did you mean "image"?'),
        ('variable "a" {\n  defualt = 1\n}\n', 'did you mean "default"?'),
        ('varaible "a" {\n}\n', 'did you mean "variable"?'),
        (NULL.replace('["null.n"]', '["null.m"]'), 'did you mean "null.n"?'),
        ('variable "a" {\n}\n', "--var a=VALUE, or PKR_VAR_a=VALUE in the environment"),
    ],
)
def test_remedies(write: Write, text: str, remedy: str) -> None:
    with pytest.raises(TemplateError) as caught:
        load(write({"a.pkr.hcl": text}), given())
    assert remedy in [problem.remedy for problem in caught.value.problems]


def test_variables_without_value_are_open_when_one_only_looks(write: Write) -> None:
    path = write({"a.pkr.hcl": 'variable "a" {\n}\nlocals {\n  b = "x${var.a}"\n}\n' + NULL})
    template = load(path, given(), strict=False).template
    assert template.variables[0].required
    assert template.locals[0].value == Deferred('"x${var.a}"', "var.a")


def test_variables_that_are_not_declared(write: Write, tmp_path: Path) -> None:
    path = write(
        {"a.pkr.hcl": 'variable "image" {\n  default = 1\n}\n' + NULL, "v.pkrvars.hcl": "imgae = 2\n"}
    )
    assert said(path, given("imgae=2")) == [
        '--var gives a value to "imgae", which is no variable of this template.'
    ]
    warnings = load(path, given(files=("v.pkrvars.hcl",), cwd=tmp_path)).template.warnings
    assert [(one.what, one.remedy) for one in warnings] == [
        ('"imgae" is no variable of this template.', 'did you mean "image"?')
    ]


def test_secrets_are_in_no_message(write: Write) -> None:
    text = (
        'variable "a" {\n  type = number\n  sensitive = true\n}\n'
        'variable "b" {\n  default = "t0ps3cret"\n  sensitive = true\n  validation {\n'
        '    condition = length(var.b) > 100\n    error_message = "Too short."\n  }\n}\n'
        "locals {\n  c = tonumber(var.b)\n  d = var.b.x\n  e = parseint(var.b, 10)\n}\n"
    )
    with pytest.raises(TemplateError) as caught:
        load(write({"a.pkr.hcl": text}), given("a=t0ps3cret"))
    assert len(caught.value.problems) >= 4
    assert "t0ps3cret" not in str(caught.value)

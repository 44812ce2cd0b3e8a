"""From one language into another, and back."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import ConfigError, UsageError
from core.model.project import ProjectFile
from core.templates import Reading, load
from core.templates.converting import Converted, convert
from core.templates.model import reveal
from tests.templates.conftest import CORPUS, Write, given

ROOT = Path(__file__).resolve().parents[2]

HOME = {"HOME": "/home/me"}


def outline(reading: Reading) -> dict[str, Any]:
    """What a template comes to, apart from how each language writes names."""
    build = reading.template.builds[0]
    source = {"name": "note", "type": "file"}
    running = {"ID": "i-1"}

    def settings(one: Any) -> Any:
        return reveal(reading.settings(one.id, running, source))

    return {
        "variables": {one.name: reveal(one.value) for one in reading.template.variables},
        "sensitive": [one.name for one in reading.template.variables if one.sensitive],
        "sources": [(one.kind, one.name.rpartition(".")[2]) for one in build.sources],
        "provisioners": [
            (
                one.kind,
                settings(one),
                [name.rpartition(".")[2] for name in one.only],
                [name.rpartition(".")[2] for name in one.exclude],
                one.override,
                one.pause_before,
                one.max_retries,
            )
            for one in build.provisioners
        ],
        "post-processors": [
            [(one.kind, settings(one), one.keep_input_artifact) for one in chain]
            for chain in build.post_processors
        ],
    }


def test_json_to_hcl_and_back(tmp_path: Path) -> None:
    original = load(CORPUS / "shop.json", given(**HOME))
    there = convert(CORPUS / "shop.json", "hcl", given(**HOME))
    path = tmp_path / "shop.pkr.hcl"
    path.write_text(there.text)
    read = load(path, given(**HOME))
    first, second = outline(original), outline(read)
    # Texts of HCL2 are Go's templates for the one who runs the step: nothing renders this one now.
    assert second["provisioners"][0][1]["inline"].pop() == "echo {{`{{.State}}`}}"
    assert first["provisioners"][0][1]["inline"].pop() == "echo {{.State}}"
    assert second == first
    assert {one.what for one in there.lost} == {
        'The default of "image" uses other variables; it is written as its value now.',
        "{{upper `x`}} stays as it is written, and means nothing in the other language.",
    }
    back = convert(path, "json", given(**HOME))
    path = tmp_path / "shop.json"
    path.write_text(back.text)
    third = outline(load(path, given(**HOME)))
    third["provisioners"][0][1]["inline"].pop()
    assert third == first


def test_hcl_to_json(tmp_path: Path) -> None:
    done = convert(CORPUS / "web", "json", given())
    document = json.loads(done.text)
    assert document["variables"] == {
        "suite": "bookworm",
        "token": "t0ps3cret",
        "headless": "true",
        "retries": "3",
    }
    assert document["sensitive-variables"] == ["token"]
    assert [one.get("name", one["type"]) for one in document["builders"]] == ["first", "note", "renamed"]
    shell = document["provisioners"][0]
    assert shell["inline"] == ["echo shop-bookworm", "echo ${HOME} {{build `ID`}}"]
    assert shell["environment_vars"] == ["TOKEN={{user `token`}}", "NAME={{build_name}}"]
    assert shell["only"] == ["first"]
    assert document["post-processors"][0]["keep_input_artifact"] is True
    lost = [one.what for one in done.lost]
    assert "local.image is written as the value that it has now." in lost
    assert 'The variable "packages" is no text; where it is used, its value is written.' in lost
    path = tmp_path / "web.json"
    path.write_text(done.text)
    load(path, given())


def test_a_secret_is_not_written_where_it_would_be_plain(write: Write) -> None:
    path = write(
        {
            "a.pkr.hcl": 'variable "a" {\n  default = env("TOKEN")\n  sensitive = true\n}\n'
            'variable "b" {\n  default = upper(env("TOKEN"))\n  sensitive = true\n}\n'
            'source "null" "n" {\n  password = upper(var.a)\n  plain = var.b\n}\n'
            'build {\n  sources = ["null.n"]\n}\n'
        }
    )
    done = convert(path, "json", given(TOKEN="hush"))
    assert "hush" not in done.text.lower()
    assert json.loads(done.text)["variables"] == {"a": "{{env `TOKEN`}}", "b": None}
    assert 'The default of "b" is left out: it is sensitive.' in [one.what for one in done.lost]
    assert "upper(var.a) cannot be said in the other language." in [one.what for one in done.lost]


BOOTSTRAP = """\
variable "suite" {
  default = "bookworm"
}
source "bootstrap" "base" {
  suite    = var.suite
  packages = ["openssh-server"]
  memory   = "512MiB"
}
build {
  description = "What all begin with."
  sources     = ["bootstrap.base"]
  provisioner "shell" {
    inline           = ["apt-get update", "apt-get install -y nginx"]
    environment_vars = ["A=b=c"]
    timeout          = "1m30s"
  }
  provisioner "file" {
    source      = "site.conf"
    destination = "/etc/site.conf"
  }
  post-processor "vagrant" {}
}
"""


def test_to_toml_and_back(write: Write, tmp_path: Path) -> None:
    path = write({"shop.pkr.hcl": BOOTSTRAP})
    done = convert(path, "toml", given())
    project = msgspec.convert(tomllib.loads(done.text), ProjectFile)
    build = project.builds["base"]
    assert build.source.bootstrap is not None
    assert (build.source.bootstrap.suite, build.source.bootstrap.packages) == (
        "bookworm",
        ("openssh-server",),
    )
    assert (project.project.name, build.memory, build.description) == (
        "shop",
        "512MiB",
        "What all begin with.",
    )
    shell, file = build.provision
    assert shell.shell == "apt-get update\napt-get install -y nginx"
    assert (shell.env, shell.timeout) == ({"A": "b=c"}, 90)
    assert (file.file, file.to) == ("site.conf", "/etc/site.conf")
    assert [one.what for one in done.lost] == [
        'The variable "suite" is written as the value that it has now.',
        'The post-processor "vagrant" is left out.',
    ]
    toml = tmp_path / "boxwright.toml"
    toml.write_text(done.text)
    for language, name in (("hcl", "again.pkr.hcl"), ("json", "again.json")):
        again = tmp_path / name
        again.write_text(convert(toml, language, given()).text)
        back = convert(again, "toml", given())
        assert msgspec.convert(tomllib.loads(back.text), ProjectFile).builds == project.builds


@pytest.mark.parametrize("template", ["hcl", "json/site.json"])
def test_the_sample_is_a_project_file_too(template: str) -> None:
    done = convert(ROOT / "sample_projects" / "languages" / template, "toml", given())
    builds = msgspec.convert(tomllib.loads(done.text), ProjectFile).builds
    machine, container = builds.values()
    assert machine.source.bootstrap == container.source.bootstrap
    assert container.source.docker is not None and container.source.docker.changes
    assert [step.file or step.script or "" for step in machine.provision] == ["../page/", "", "../stamp.sh"]
    said = [one.what for one in done.lost]
    assert "Relative paths start at the project file: it has to lie beside the template." in said
    assert any("makes a box for QEMU, too" in one for one in said)


@pytest.mark.parametrize(
    ("files", "to", "error", "what"),
    [
        ({"a.json": '{"builders": [{"type": "null"}]}'}, "toml", ConfigError, "Nothing of this template"),
        (
            {"a.json": '{"builders": [{"type": "bootstrap", "suite": "{{pwd}}"}]}'},
            "toml",
            ConfigError,
            "A project file cannot have the template's folder, or",
        ),
        ({"a.json": '{"builders": [{"type": "null"}]}'}, "xml", UsageError, "There is no language 'xml'."),
        ({"a.json": '{"builders": [{"type": "null"}]}'}, "json", UsageError, "a.json is json already."),
        ({"boxwright.toml": "x = 1"}, "hcl", ConfigError, "The project file cannot be read."),
        ({"boxwright.toml": '[project]\nname = "x"'}, "hcl", ConfigError, "The project has no builds."),
    ],
)
def test_what_cannot_be_done(
    write: Write, files: dict[str, str], to: str, error: type[Exception], what: str
) -> None:
    with pytest.raises(error) as caught:
        convert(write(files), to, given())
    assert caught.value.problem.what.startswith(what)  # type: ignore[attr-defined]


def test_names_that_hcl_cannot_have(write: Write) -> None:
    path = write(
        {
            "a.json": '{"variables": {"1 a": "x"}, "builders": [{"type": "null", "name": "my box", '
            '"filter": {"tags": {"a": "b"}}, "disks": [{"size": 1}, {"size": 2}], "plain": {"a": "b"}}], '
            '"provisioners": [{"type": "shell", "inline": "{{user `1 a`}} {{timestamp}}"}]}'
        }
    )
    done = convert(path, "hcl", given())
    copy = path.parent / "b.pkr.hcl"
    copy.write_text(done.text)
    template = load(copy, given()).template
    assert [one.name for one in template.variables] == ["_1_a"]
    assert template.sources[0].name == "my_box"
    assert template.sources[0].settings == {
        "filter": [{"tags": {"a": "b"}}],
        "disks": [{"size": 1}, {"size": 2}],
        "plain": {"a": "b"},
    }
    assert template.builds[0].provisioners[0].settings == {"inline": "x 20231114221320"}
    assert len(done.lost) == 2


def test_nothing_is_lost_silently() -> None:
    done: Converted = convert(CORPUS / "newer", "json", given(SHOP_KEY="hush"))
    lost = "\n".join(one.what for one in done.lost)
    for word in ("amazon-ami.base", "A size, like 8G.", "qemu ~> 1.0", "local.password", "data.amazon-ami"):
        assert word in lost
    assert "hush" not in done.text

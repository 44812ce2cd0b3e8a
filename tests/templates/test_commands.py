"""The commands on templates, as they are typed."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run, boxwright  # noqa: F401 - a fixture
from tests.templates.conftest import CORPUS


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boxwright_home: Path) -> Path:
    """The tests stand in a folder with the corpus."""
    shutil.copytree(CORPUS, tmp_path / "corpus")
    monkeypatch.chdir(tmp_path / "corpus")
    return tmp_path / "corpus"


def test_inspect(boxwright: Run) -> None:  # noqa: F811
    ran = boxwright("template", "inspect", "web", "--var", "suite=trixie")
    assert ran.code == 0, ran.err
    assert "build.pkr.hcl, sources.pkr.hcl, variables.pkr.hcl (HCL2)" in ran.out
    assert "suite     string" in ran.out
    assert '"trixie"' in ran.out
    assert "1. shell-local only null.first  [runs]" in ran.out
    assert "2. file except file.note  [runs]" in ran.out
    assert "then checksum [runs] -> compress [runs]" in ran.out
    assert "t0ps3cret" not in ran.out + ran.err
    document = boxwright("template", "inspect", "shop.json", "--json").json
    assert document["template"]["language"] == "json"
    assert {one["kind"]: one["runs"] for one in document["support"]}["null"] == "yes"
    assert "t0ps3cret" not in json.dumps(document)


def test_validate(boxwright: Run, here: Path) -> None:  # noqa: F811
    ran = boxwright("template", "validate", "shop.json", "-var", "suite=x", "--syntax-only")
    assert (ran.code, ran.out) == (0, "shop.json is valid: 2 sources, 1 build.\n")
    ran = boxwright("template", "validate", "shop.json")
    assert ran.code == 2
    assert 'error: The provisioner "file" needs here, which is not there.' in ran.err
    (here / "wrong.pkr.hcl").write_text("locals {\n  a = var.nope\n  b = uper(1)\n}\n")
    ran = boxwright("template", "validate", "wrong.pkr.hcl", "--json")
    assert (ran.code, ran.json["valid"], len(ran.json["problems"])) == (2, False, 2)
    assert ran.json["problems"][1]["place"]["line"] == 3
    assert "wrong.pkr.hcl:3:7: error: There is no function" in ran.err
    assert "2 mistakes." in ran.err
    settings = '  iso_url = "x.iso"\n  iso_checksum = "none"\n  net_bridge = "br0"\n  ssh_username = "u"\n'
    source = f'source "qemu" "q" {{\n{settings}}}\n'
    step = '  provisioner "shell" {\n    inlin = ["true"]\n  }\n'
    far = 'source "vmware-iso" "v" {\n  anything = 1\n}\n'
    build = f'build {{\n  sources = ["source.qemu.q", "source.vmware-iso.v"]\n{step}}}\n'
    (here / "parts.pkr.hcl").write_text(source + far + build)
    ran = boxwright("template", "validate", "parts.pkr.hcl", "--json")
    assert (ran.code, [one["place"]["line"] for one in ran.json["problems"]]) == (2, [4, 13])
    assert 'has no setting "inlin"' in ran.err and '"net_bridge" cannot be used' in ran.err
    assert boxwright("template", "validate", "parts.pkr.hcl", "--syntax-only").code == 0
    assert boxwright("template", "validate", "nowhere.json").code == 3
    assert boxwright("template", "validate", "web", "--var", "nonsense").code == 2


def test_console(boxwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    ran = boxwright("template", "console", "web", "-e", "local.image", "-e", "var.token", "-e", "1 + 1")
    assert (ran.code, ran.out) == (0, '"shop-bookworm"\n<sensitive>\n2\n')
    monkeypatch.setattr("sys.stdin", io.StringIO('upper("a")\n\nnope\n1 + 1\nexit\n2\n'))
    ran = boxwright("template", "console")
    assert (ran.code, ran.out) == (2, '"A"\n2\n')
    assert '"nope" is not known here.' in ran.err
    monkeypatch.setattr("sys.stdin", io.StringIO("[1]\nvar.token\n"))
    ran = boxwright("template", "console", "web", "--json")
    assert [json.loads(line)["value"] for line in ran.out.splitlines()] == [[1], "<sensitive>"]


def test_fmt(boxwright: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    path = here / "x.pkr.hcl"
    path.write_text("a=1\nbcd=2\n")
    path.chmod(0o640)
    ran = boxwright("template", "fmt", "--check", "--diff", "x.pkr.hcl")
    assert (ran.code, path.read_text()) == (1, "a=1\nbcd=2\n")
    assert "-bcd=2\n+a   = 1\n+bcd = 2\n" in ran.out
    assert boxwright("template", "fmt").out == "x.pkr.hcl\n"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("a   = 1\nbcd = 2\n", 0o640)
    assert boxwright("template", "fmt", "--check", "--recursive").code == 1
    assert boxwright("template", "fmt", "-r").code == 0
    assert boxwright("template", "fmt", "--check", "-r").code == 0
    path.write_text("a = = 1\n")
    assert boxwright("template", "fmt", "x.pkr.hcl").code == 2
    assert path.read_text() == "a = = 1\n"
    assert boxwright("template", "fmt", "shop.json").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("a=1\n"))
    assert boxwright("template", "fmt", "-").out == "a = 1\n"


def test_convert(boxwright: Run, here: Path) -> None:  # noqa: F811
    ran = boxwright("template", "convert", "shop.json", "--to", "hcl", "-o", "new.pkr.hcl")
    assert (ran.code, ran.out) == (0, "Wrote new.pkr.hcl\n")
    assert "not carried over: {{upper `x`}} stays as it is written" in ran.err
    assert boxwright("template", "convert", "shop.json", "--to", "hcl", "-o", "new.pkr.hcl").code == 2
    assert boxwright("template", "convert", "shop.json", "--to", "hcl", "-o", "new.pkr.hcl", "-f").code == 0
    assert boxwright("template", "fmt", "--check", "new.pkr.hcl").code == 0
    document = boxwright("template", "convert", "web", "--to", "json", "--json").json
    assert json.loads(document["text"])["builders"]
    assert document["lost"]

"""Each mistake of a template at the place where it is written, and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.builds.checking import looked_at
from core.templates.given import Given
from core.templates.hcl.reader import read_hcl
from core.templates.legacy.reader import read_json
from core.templates.problems import TemplateError

SOURCES = """variable "suite" {
  default = "bookworm"
}

source "qemu" "web" {
  iso_url      = "x.iso"
  iso_checksum = "none"
  ssh_username = "root"
  headles      = true
}

build {
  sources = ["source.qemu.web"]
  source "qemu.web" {
    name     = "other"
    cpuz     = 2
    shutdown_timeout = "5"
  }
  provisioner "shell" {
    only     = ["qemu.web"]
    inlin    = ["true"]
    inline   = ["echo ${var.suite}"]
    timeouts = 3
  }
}
"""


def test_settings_of_hcl_are_found_at_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.pkr.hcl"
    file.write_text(SOURCES)
    found = looked_at(read_hcl(file, Given()), Given())
    assert [(one.place.line, one.place.column, one.what) for one in found if one.place] == [
        (9, 3, 'The source "qemu" has no setting "headles".'),
        (16, 5, 'The source "qemu" has no setting "cpuz".'),
        (17, 5, "\"shutdown_timeout\" is '5', which is no duration."),
        (21, 5, 'The provisioner "shell" has no setting "inlin".'),
        (23, 5, 'The provisioner "shell" has no setting "timeouts".'),
    ]


def test_settings_of_json_are_found_at_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(
        '{\n "builders": [{"type": "null",\n  "comunicator": "none", "ssh_port": "x"}],\n'
        ' "provisioners": [{"type": "shell-local", "inline": ["true"],\n   "inlin": ["x"]}]\n}\n'
    )
    found = looked_at(read_json(file, Given()), Given())
    assert [(one.place.line, one.place.column) for one in found if one.place] == [(3, 3), (3, 26), (5, 4)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('variable "a" {\n  defalt = 1\n}\n', ['A variable has no setting "defalt".']),
        ('variable "a" {\n  type = strin\n}\nlocals {\n  b = var.a\n}\n', ['"strin" is no type.']),
        ('build {\n  sources = ["source.null.a"]\n}\n', ['There is no source "null.a".']),
        ("build {\n  sources = []\n}\n", ["This build has no sources."]),
        ("build {\n}\n", ["This build has no sources."]),
    ],
)
def test_what_follows_from_a_mistake_is_not_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    file = tmp_path / "a.pkr.hcl"
    file.write_text(text)
    with pytest.raises(TemplateError) as caught:
        read_hcl(file, Given())
    assert [one.what for one in caught.value.problems] == expected

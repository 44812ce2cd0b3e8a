"""What is looked at beyond the language: files, versions, what can be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.templates import load
from core.templates.checks import missing_files, warnings
from core.templates.support import support, supports
from core.templates.versions import is_constraint, satisfies
from tests.templates.conftest import CORPUS, Write, given


@pytest.mark.parametrize(
    ("constraint", "met"),
    [
        (">= 1.7.0, < 2.0", True),
        ("~> 1.14", True),
        ("~> 1.14.0", True),
        ("~> 1.13.2", False),
        ("1.14.0", True),
        ("!= 1.14.0", False),
        ("> v1.13", True),
        ("<= 1.13.9", False),
    ],
)
def test_constraints(constraint: str, met: bool) -> None:
    assert is_constraint(constraint)
    assert satisfies("1.14.0", constraint) is met


def test_no_constraints() -> None:
    assert not any(is_constraint(text) for text in ("", "new", ">= ", "1.x", ">> 1"))
    assert not satisfies("1.0.0", "new")


def test_files_that_are_not_there(write: Write, tmp_path: Path) -> None:
    path = write(
        {
            "a.pkr.hcl": 'source "null" "n" {\n}\nbuild {\n  sources = ["null.n"]\n'
            '  provisioner "shell" {\n    scripts = ["here.sh", "gone.sh"]\n  }\n'
            '  provisioner "file" {\n    source = "gone"\n    destination = "/x"\n  }\n'
            '  provisioner "file" {\n    source = "/in/guest"\n    destination = "x"\n'
            '    direction = "download"\n  }\n'
            '  provisioner "shell" {\n    script = "{{ .Later }}"\n  }\n}\n',
            "here.sh": "",
        }
    )
    found = missing_files(load(path, given()).template, tmp_path)
    assert [(one.place.line, one.what) for one in found if one.place] == [
        (5, 'The provisioner "shell" needs gone.sh, which is not there.'),
        (8, 'The provisioner "file" needs gone, which is not there.'),
    ]


def test_what_can_be_run() -> None:
    template = load(CORPUS / "newer", given()).template
    assert {(one.part, one.kind): one.runs for one in supports(template)} == {
        ("data source", "amazon-ami"): "yes",
        ("source", "qemu"): "yes",
        ("source", "amazon-ebs"): "yes",
        ("provisioner", "shell"): "yes",
        ("provisioner", "shell-local"): "yes",
        ("post-processor", "vagrant"): "yes",
        ("post-processor", "shell-local"): "yes",
    }
    assert support("source", "bootstrap").runs == "yes"
    assert support("source", "vmware-iso").runs == "no"
    assert (support("source", "qemmu").runs, support("source", "qemmu").why) == (
        "unknown",
        'did you mean "qemu"?',
    )


def test_what_runs_is_what_builds_have() -> None:
    """No claim that the builds do not keep, and nothing kept secret."""
    from core.builds.data.asking import FIND
    from core.builds.from_project import STEP
    from core.builds.registry import kinds
    from core.templates.data_kinds import DATA_KINDS
    from core.templates.support import RUNS

    for part in ("source", "provisioner", "post-processor"):
        assert set(RUNS[part]) == set(kinds(part)) - {STEP}
    assert set(RUNS["data source"]) == set(DATA_KINDS) == {*FIND, "null"}


def test_the_documents_say_what_is_proved_in_part() -> None:
    from core.templates.support import RUNS

    document = (Path(__file__).parents[2] / "docs/packer.md").read_text()
    said = re.findall(r"^\| ((?:data )?[a-z-]+) `([a-z-]+)` \| (.+) \|$", document, re.MULTILINE)
    assert sorted(said) == sorted(
        (part, name, kind.proved)
        for part, kinds in RUNS.items()
        for name, kind in kinds.items()
        if kind.proved
    )


def test_warnings(write: Write) -> None:
    path = write(
        {
            "a.pkr.hcl": 'packer {\n  required_version = "< 1.5"\n}\nsource "qemmu" "n" {\n}\n'
            'build {\n  sources = ["qemmu.n"]\n}\n'
        }
    )
    assert [(one.what, one.remedy) for one in warnings(load(path, given()).template)] == [
        ("The template wants Packer < 1.5; Boxwright reads those for 1.14.0.", ""),
        ('The source "qemmu" is not known.', 'did you mean "qemu"?'),
    ]

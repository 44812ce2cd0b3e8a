"""Provisioners are found by entry points: ours, and those of others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import BoxwrightError, NotFoundError
from core.provisioners import registry
from core.provisioners.registry import kinds, provisioner


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    registry._found.cache_clear()
    provisioner.cache_clear()
    yield
    registry._found.cache_clear()
    provisioner.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody else, as pip leaves it."""
    info = tmp_path / "boxwright_salt-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: boxwright-salt\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[boxwright.provisioners]\nsalt = boxwright_salt_test:Salt\nbroken = boxwright_salt_test:Absent\n"
    )
    (tmp_path / "boxwright_salt_test.py").write_text("class Salt:\n    kind = 'salt'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "boxwright_salt_test", raising=False)


def test_ours_are_there() -> None:
    assert {"shell", "file"} <= set(kinds())
    assert provisioner("shell").kind == "shell"
    assert provisioner("file").kind == "file"


def test_somebody_elses_is_found(installed: None) -> None:
    assert "salt" in kinds()
    assert provisioner("salt").kind == "salt"


def test_one_that_cannot_be_loaded_names_its_package(installed: None) -> None:
    with pytest.raises(BoxwrightError, match="'broken' of boxwright-salt"):
        provisioner("broken")


def test_an_unknown_kind_lists_those_there_are() -> None:
    with pytest.raises(NotFoundError) as caught:
        provisioner("chef")
    assert "file, shell" in caught.value.problem.why

"""Each folder of data has an engine of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.home import folders


def test_other_data_has_other_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BOXWRIGHT_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    elsewhere = folders()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    by_xdg = folders()
    monkeypatch.setenv("BOXWRIGHT_HOME", str(tmp_path / "own"))
    own = folders()
    assert len({elsewhere[1], by_xdg[1], own[1]}) == 3
    assert by_xdg[0] == tmp_path / "data" / "boxwright"


def test_the_account_s_own_home_has_a_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOXWRIGHT_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("HOME")
    assert folders()[1].name == "default"

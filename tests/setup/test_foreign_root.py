"""The script that installs programs of other distributions for the tests, where these cannot be had."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.foreign import CANNOT, ROOT


@pytest.mark.parametrize("name", ["virtualbox", "incus"])
def test_a_distribution_that_cannot_be_installed_is_told_from_other_errors(tmp_path: Path, name: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    apt = programs / "apt-get"
    apt.write_text("#!/bin/sh\necho Debian main http://127.0.0.1:9/nothing\n")
    apt.chmod(0o755)
    cache = tmp_path / "cache"
    ended = subprocess.run(
        [ROOT / "scripts/foreign-root", name],
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "BOXWRIGHT_TESTS_CACHE": str(cache),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == CANNOT, ended.stderr
    assert "cannot be installed today" in ended.stderr
    assert [path.name for path in cache.iterdir()] == [f"{name}.lock"]

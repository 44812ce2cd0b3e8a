"""A box of VirtualBox's on its way through the whole program, up to the missing kernel module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from core.model.problem import ExitCode
from tests.support.foreign import ROOT
from tests.support.virtualbox import VirtualBox

pytestmark = pytest.mark.real


def test_its_box_is_added_and_up_says_what_is_missing_here(
    virtualbox: VirtualBox, box: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "small.box"
    with tarfile.open(archive, "w:gz") as packing:
        for file in sorted(box.iterdir()):
            packing.add(file, file.name)
    (tmp_path / "boxwright.toml").write_text(
        '[project]\nname = "shop"\nprovider = "virtualbox"\n[machines.web]\nbox = "small"\n'
    )

    def boxwright(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "core.cli.main", "--in-process", "--json", *words]
        environment = {**os.environ, **virtualbox.environment, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    added = boxwright("box", "add", str(archive))
    assert added.returncode == ExitCode.DONE, added.stderr
    listed = json.loads(boxwright("box", "list").stdout)
    assert "virtualbox" in json.dumps(listed)
    up = boxwright("up")
    assert up.returncode == ExitCode.PROVIDER
    assert "kernel module is not loaded" in up.stdout + up.stderr
    assert "vboxdrv" in up.stdout + up.stderr

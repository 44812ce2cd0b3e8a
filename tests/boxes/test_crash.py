"""SIGKILL at every instant: afterwards a box is there whole or not at all, and nothing else is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.boxes.making import box, sound


def test_killed_at_every_point(tmp_path: Path) -> None:
    archive = box(tmp_path / "second.box", {**sound(filler=b"second" * 99), "Vagrantfile": b"# nothing"})
    box(tmp_path / "first.box", sound(filler=b"first" * 99))
    done = subprocess.run(
        [sys.executable, "-m", "tests.boxes.dying", tmp_path, archive],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    points = dict(line.split() for line in done.stdout.splitlines())
    assert set(points) == {"add", "replace", "build", "remove"}
    assert int(points["add"]) >= 20 and int(points["replace"]) >= 20
    assert int(points["build"]) >= 8 and int(points["remove"]) >= 2

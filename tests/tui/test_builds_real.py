"""A build in a real terminal with the real engine: it asks, is mended, and its engine is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.consoles import environment
from tests.support.tmux import ROOT, Tmux

pytestmark = pytest.mark.real

TEMPLATE = """
source "file" "note" {
  content = "written by a build"
  target  = "note.txt"
}
build {
  sources = ["source.file.note"]
  provisioner "shell-local" { script = "step.sh" }
}
"""
EDITOR = """#!/bin/sh
echo 'echo mended; exit 0' > "$1"
"""


def engine(home: Path) -> int:
    """The number of its process, once there is one."""
    for _ in range(200):
        command = [sys.executable, "-m", "core.cli.main", "engine", "status", "--json"]
        env = {**os.environ, **environment(home)}
        ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        found = json.loads(ran.stdout or "{}")
        if found.get("engine"):
            return int(found["engine"]["pid"])
        time.sleep(0.1)
    raise AssertionError("no engine came")


@pytest.fixture
def terminal(boxwright_home: Path) -> Iterator[Tmux]:
    project = boxwright_home / "site"
    project.mkdir()
    (project / "note.pkr.hcl").write_text(TEMPLATE)
    (project / "step.sh").write_text("echo the reason; exit 3\n")
    editor = boxwright_home / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o700)
    made = Tmux(boxwright_home, columns=80, rows=24)
    words = [sys.executable, "-m", "core.cli.main", "--project", str(project)]
    env = {**environment(boxwright_home), "PYTHONPATH": str(ROOT), "VISUAL": str(editor)}
    made.start(words, **env)
    yield made
    made.close()
    stop = [sys.executable, "-m", "core.cli.main", "engine", "stop", "--force"]
    subprocess.run(stop, cwd=ROOT, env={**os.environ, **env}, capture_output=True, check=False)


def test_a_build_asks_is_mended_and_the_engine_may_be_killed_meanwhile(
    terminal: Tmux, boxwright_home: Path
) -> None:
    script = boxwright_home / "site" / "step.sh"
    terminal.wait_for("not built", 90)
    terminal.press("3", "b")
    # It comes by itself, as it was begun here.
    terminal.wait_for("Retry this step", 60)
    terminal.wait_for("the reason")
    time.sleep(1.0)
    terminal.press("e")
    # The user's editor has mended the script; it is asked again.
    for _ in range(600):
        if "mended" in script.read_text():
            break
        time.sleep(0.05)
    assert "mended" in script.read_text()
    terminal.wait_for("esc leaves it for later", 60)
    terminal.press("r")
    # Its script was another one when it began: only a run from the beginning counts as all of it.
    terminal.wait_for("stale", 60)
    stop = boxwright_home / "site" / "stop"
    script.write_text(f"while [ ! -e {stop} ]; do sleep 0.1; done\n")
    # What is there is not written over unasked.
    (boxwright_home / "site" / "note.txt").unlink()
    terminal.press("b")
    terminal.wait_for("building", 60)
    os.kill(engine(boxwright_home), signal.SIGKILL)
    # What it did is told as failed by the next engine; what was known stays.
    screen = terminal.wait_for("failed", 90)
    assert "3 Builds" in screen
    terminal.wait_for("no engine", 60, gone=True)
    terminal.press("O")
    terminal.wait_for("CAME OF IT", 60)
    listed = terminal.screen()
    assert "failed" in listed
    assert "done" in listed
    terminal.press("Escape")
    terminal.wait_for("CAME OF IT", gone=True)
    stop.touch()
    script.write_text("true\n")
    terminal.press("b")
    terminal.wait_for("up to date", 60)
    terminal.press("q")
    terminal.wait_for_end()

"""The command line with real machines: one tiny guest through its whole life."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.boxes import UNDO
from core.boxes.pack import write_box
from core.model.machine import Disk
from core.model.problem import ExitCode
from tests.cli.conftest import ROOT
from tests.cli.terminal import TerminalRun
from tests.support.tiny import tiny_image
from tests.support.work import RecordingWork

__all__ = ["tiny_image"]

PROJECT = """\
[project]
name = "real"
[machines.web]
box = "tiny"
memory = "160MiB"
ports = [{ guest = 80, name = "web" }]
[[machines.web.provision]]
name = "page"
shell = '''
mkdir -p /srv && echo made here > /srv/index.html && httpd -h /srv
printf '\\033[32mserved\\033[0m\\n'
'''
[[machines.web.provision]]
name = "broken"
run = "never"
shell = "echo before; exit 9"
[machines.second]
box = "tiny"
memory = "160MiB"
autostart = false
"""

pytestmark = pytest.mark.real


@pytest.fixture
def project(
    tmp_path: Path, tiny_image: Path, boxwright_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A project whose box is in the store; its machines and its engine are gone afterwards."""
    box = tmp_path / "tiny.box"
    asyncio.run(write_box(box, disks=[Disk(path=str(tiny_image))], work=RecordingWork(UNDO)))
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "boxwright.toml").write_text(PROJECT)
    monkeypatch.chdir(folder)
    boxwright("box", "add", str(box), "--name", "tiny")
    yield folder
    boxwright("destroy", "--yes")
    boxwright("engine", "stop", "--force", "--yes")


def boxwright(*words: str, code: int = 0, stdin: str = "") -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "core.cli.main", *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout if code == 0 else ran.stdout + ran.stderr


def test_a_machines_life(project: Path) -> None:
    assert "[web]   served" in boxwright("up")
    assert "running already" in boxwright("up", "web")
    port = boxwright("port", "--guest", "80", "web").strip()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as page:
        assert page.read() == b"made here\n"

    assert boxwright("ssh", "web", "-c", "cat", stdin="through\n") == "through\n"
    boxwright("ssh", "-c", "exit 7", code=7)
    config = project / "config"
    config.write_text(boxwright("ssh-config"))
    said = subprocess.run(
        ["ssh", "-F", str(config), "web", "uname"], capture_output=True, text=True, timeout=60
    )
    assert said.stdout == "Linux\n"

    (project / "folder").mkdir()
    (project / "folder" / "file").write_bytes(b"\x00\xff" * 1000)
    boxwright("upload", "folder", "web:/tmp/there")
    boxwright("download", "/tmp/there", "back")
    assert (project / "back" / "file").read_bytes() == b"\x00\xff" * 1000

    boxwright("snapshot", "save", "clean")
    boxwright("ssh", "-c", "touch /tmp/later")
    boxwright("snapshot", "restore", "clean", "--yes")
    boxwright("ssh", "-c", "test -e /tmp/later", code=1)
    assert json.loads(boxwright("snapshot", "list", "--json"))["snapshots"][0]["name"] == "clean"

    boxwright("suspend")
    assert "boxwright resume web" in boxwright("ssh", code=1)
    boxwright("resume")
    failed = boxwright("provision", "--only", "broken", code=1)
    assert "before" in failed
    assert "boxwright logs" in failed
    assert "before" in boxwright("logs", "web")

    boxwright("halt")
    assert json.loads(boxwright("status", "--json"))["machines"][0]["state"] == "stopped"
    assert "is in use" in boxwright("box", "remove", "tiny", "--yes", code=ExitCode.BUSY)
    boxwright("destroy", "--yes")
    boxwright("box", "remove", "tiny", "--yes")
    assert "No boxes yet" in boxwright("box", "list")


def test_shell_console_and_cancelling_in_a_terminal(project: Path) -> None:
    with TerminalRun("up", "web") as up:
        up.wait_for("Wait for SSH")
        up.type("\x03")
        assert up.end() == ExitCode.CANCELLED
        assert "web was cancelled" in up.shown
    with TerminalRun("up", "web") as up:
        assert up.end() == ExitCode.DONE
        assert "✓ up web" in up.shown
    with TerminalRun("ssh", "web") as shell:
        shell.wait_for("$")
        shell.type("echo $((6 * 7)); exit 5\r")
        assert shell.end() == 5
        assert "42" in shell.shown
    with TerminalRun("serial", "web") as console:
        console.wait_for("Ctrl-] leaves it")
        console.type("\r")
        console.wait_until(lambda: "login" in console.shown or "#" in console.shown, "a prompt")
        console.type("\x1d")
        assert console.end() == ExitCode.DONE
        assert "Left the console" in console.shown


def test_an_engine_of_ones_own(project: Path) -> None:
    """--in-process needs no engine besides, and leaves the machine running."""
    boxwright("engine", "stop")
    with TerminalRun("--in-process", "up", "second") as up:
        up.wait_for("Wait for SSH")
        up.type("\x03")
        assert up.end() == ExitCode.CANCELLED
        assert "second was cancelled" in up.shown
    assert "not created" in boxwright("--in-process", "status", "second")
    boxwright("--in-process", "up", "second")
    assert "running" in boxwright("--in-process", "status", "second")
    assert boxwright("engine", "status").startswith("No engine runs")
    boxwright("ssh", "second", "-c", "true")
    boxwright("destroy", "second", "--yes")

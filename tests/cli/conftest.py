"""A staged engine behind the socket, a project beside it, and the command line in this process."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.cli.main import main
from tests.cli.stage import SSH
from tests.support.sshd import Sshd

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """\
[project]
name = "shop"
provider = "fake"

[machines.web]
box = "tiny"

[[machines.web.provision]]
name = "packages"
shell = "true"

[machines.db]
box = { build = "base" }

[builds.base]
description = "what all begin with"
source = { bootstrap = { suite = "bookworm" } }
"""
OTHERS = "".join(
    f'\n[machines.{name}]\nbox = "tiny"\nautostart = false\n' for name in ("slow", "stubborn", "bad", "noisy")
)


class Ran(msgspec.Struct, frozen=True):
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; the tests stand in its folder."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "boxwright.toml").write_text(PROJECT + OTHERS)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """Stands for the guests; must come before ``stage``."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    sshd = Sshd(folder)
    public = sshd.host_key.with_suffix(".pub").read_text().split()[:2]
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {' '.join(public)}\n")
    end = sshd.endpoint
    monkeypatch.setenv(SSH, f"{end.port} {end.user} {end.identity} {end.known_hosts}")
    asyncio.run(sshd.started())
    yield sshd
    sshd.stop()


@pytest.fixture
def stage(boxwright_home: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The engine of tests.cli.stage; see there for what its machines do. It ends before the projects
    of the test are removed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.stage"],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    if process.stdout.readline() != "ready\n":
        pytest.fail(f"the stage did not start:\n{process.communicate(timeout=10)[1]}")
    yield process
    process.terminate()
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


@pytest.fixture
def boxwright(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line in this process, without a terminal."""

    def run(*words: str) -> Ran:
        capfd.readouterr()
        code = main(words)
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run

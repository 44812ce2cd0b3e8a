"""The installed program ``boxwright`` on a project of its own, with a home of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.boxes import UNDO
from core.boxes.pack import write_box
from core.model.machine import Disk
from tests.support.work import RecordingWork

PROGRAM = Path(sys.executable).with_name("boxwright")
PATIENCE = 120.0
"""Seconds for whatever a machine does; a busy computer emulates slowly."""


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


class Workshop:
    """``folder`` holds all of it: the home, the project, what tests put beside them."""

    def __init__(self, folder: Path, *, home: Path | None = None) -> None:
        self.folder = folder
        self.home = home or folder / "home"
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        self.environment = {**os.environ, "BOXWRIGHT_HOME": str(self.home), "NO_COLOR": "1"}

    def describe(self, text: str) -> None:
        """Write the project's file."""
        (self.project / "boxwright.toml").write_text(f'[project]\nname = "shop"\nprovider = "qemu"\n{text}')

    def run(self, *words: str, code: int = 0, **environment: str) -> Done:
        """``boxwright WORDS`` to its end, which must have the exit code ``code``."""
        ran = subprocess.run(
            [PROGRAM, *words],
            cwd=self.project,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        done = Done(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
        assert done.code == code, f"boxwright {' '.join(words)} ended with {done.code}\n{done.out}{done.err}"
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """The one document that ``boxwright WORDS --json`` prints."""
        return json.loads(self.run(*words, "--json", code=code).out)

    @contextlib.contextmanager
    def begun(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """``boxwright WORDS`` while it runs, in a process group of its own."""
        with subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def machine(self, name: str = "web") -> dict[str, Any]:
        """A machine as ``status`` shows it."""
        (found,) = self.json("status", name)["machines"]
        assert isinstance(found, dict)
        return found

    def state(self, name: str = "web") -> str:
        return str(self.machine(name)["state"])

    def inside(self, command: str, name: str = "web") -> str:
        """What a command in the guest prints."""
        return self.run("ssh", name, "-c", command).out.strip()

    def pid(self, name: str = "web") -> int:
        """Of the machine's QEMU process."""
        text = (self.home / "machines" / self.machine(name)["id"] / "qemu" / "qemu.pid").read_text()
        return int(text.split()[0])

    def engine(self) -> int:
        """Process id of the engine, which is started where it does not run."""
        return int(self.json("engine", "status")["engine"]["pid"])

    def close(self) -> None:
        """No machine and no engine is left."""
        made = [machine["id"] for machine in self.json("global-status")["machines"]]
        if made:
            self.run("destroy", "--yes", "--purge", *made)
        self.run("engine", "stop", "--force", "--yes")


def box_of(image: Path, target: Path) -> Path:
    """A ``.box`` that Boxwright writes, with one disk."""
    asyncio.run(write_box(target, disks=[Disk(path=str(image))], work=RecordingWork(UNDO)))
    return target


def until(true: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Ask again and again, for what another process does."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"{what}: not after {patience:.0f} s"
        time.sleep(0.05)


def read_until(process: subprocess.Popen[bytes], text: str) -> str:
    """What the process printed up to the line with ``text``."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line.decode()
        if text in said:
            return said
    raise AssertionError(f"{text!r} did not come:\n{said}")


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C."""
    os.killpg(process.pid, signal.SIGINT)

"""Templates on disk, and the real Packer beside ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.model.problem import Problem
from core.templates import Given, Reading, TemplateError, load
from core.templates.console import bare
from core.templates.values.show import plain

CORPUS = Path(__file__).parent / "corpus"
CLOCK = 1_700_000_000.25
"""2023-11-14T22:13:20Z"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files (name to text) into a folder of the test; gives the first one's path."""

    def run(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / next(iter(files))

    return run


def given(*variables: str, files: tuple[str, ...] = (), cwd: Path | None = None, **environment: str) -> Given:
    """What a template is given from outside, and nothing of this process's environment."""
    pairs = tuple((name, value) for name, _, value in (text.partition("=") for text in variables))
    where = str(cwd or Path.cwd())
    return Given(variables=pairs, files=files, environment=environment, cwd=where, clock=CLOCK)


def value(expression: str, **environment: str) -> Any:
    """What an expression comes to, as plain data."""
    return plain(bare(given(**environment)).evaluate(expression))


def problems(path: Path, from_outside: Given | None = None) -> tuple[Problem, ...]:
    """All mistakes of a template; the test fails where there are none."""
    with pytest.raises(TemplateError) as caught:
        load(path, from_outside or given())
    return caught.value.problems


def said(path: Path, from_outside: Given | None = None) -> list[str]:
    """The mistakes with their places: ``3:5 There is no variable "x".``"""
    found = []
    for problem in problems(path, from_outside):
        place = problem.place
        found.append(f"{place.line}:{place.column} {problem.what}" if place else problem.what)
    return found


def read(path: Path, *variables: str, **environment: str) -> Reading:
    return load(path, given(*variables, **environment))


class Packer:
    """The real one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CHECKPOINT_DISABLE": "1",
            "PACKER_CONFIG_DIR": str(folder),
            "PACKER_NO_COLOR": "1",
        }

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["packer", *words],
            cwd=self._folder,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def evaluate(self, expressions: list[str]) -> list[Any]:
        """What Packer's console says to expressions, one run for all of them."""
        template = self._folder / "console.pkr.hcl"
        template.write_text(
            'source "null" "n" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.n"]\n}\n'
        )
        line = f"jsonencode([{', '.join(expressions)}])"
        ran = self("console", str(template), stdin=line + "\n")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        found: list[Any] = json.loads(ran.stdout)
        return found


@pytest.fixture
def packer(tmp_path: Path) -> Packer:
    assert shutil.which("packer"), "the tests need Packer: apt-get install packer"
    folder = tmp_path / "packer"
    folder.mkdir()
    return Packer(folder)

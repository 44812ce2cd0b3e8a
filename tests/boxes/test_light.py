"""What is needed for every command line costs little: heavy modules wait until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"httpx", "zstandard", "isal", "zipfile", "tarfile", "textual", "rich", "asyncssh"}


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("core.boxes", HEAVY - HEAVY),
        ("core.boxes.store", HEAVY - HEAVY),
        ("core.boxes.actions", {"zipfile", "tarfile"}),
    ],
)
def test_imports(module: str, allowed: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) & HEAVY <= allowed

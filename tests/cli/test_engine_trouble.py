"""What an engine had to put up with at its start is told, not only logged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def boxwright(*words: str) -> str:
    command = [str(Path(sys.executable).with_name("boxwright")), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_journal_that_was_damaged_is_told(boxwright_home: Path) -> None:
    (boxwright_home / "journal.sqlite").write_bytes(b"This is no database. " * 1000)
    boxwright("global-status", "--json")
    try:
        assert "journal" in boxwright("engine", "status")
        assert "boxwright engine log" in boxwright("doctor")
    finally:
        boxwright("engine", "stop")

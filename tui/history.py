"""Lines that were typed at the prompt, the latest last; kept beside the settings, for this user alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tui import settings

KEPT = 200


def file() -> Path:
    return settings.folder() / "prompt-history"


def load() -> list[str]:
    """Without a file, or with one that cannot be read: none."""
    try:
        return [line for line in file().read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return []


def remember(line: str) -> None:
    """A line that was typed before moves to the end. What cannot be written is forgotten."""
    line = " ".join(line.split())
    if not line:
        return
    lines = [*(known for known in load() if known != line), line][-KEPT:]
    path = file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text("".join(f"{known}\n" for known in lines), encoding="utf-8")
        fresh.replace(path)

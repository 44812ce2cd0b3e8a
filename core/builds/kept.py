"""Machines that failed builds left running, as somebody asked: whose they are, and how one gets into them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from core.model.machine import Endpoint

KEPT = "kept"
"""The file in the folder of such a build that says so."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    root: str
    """Folder of the project or template."""
    build: str
    endpoint: Endpoint | None = None


def mark(folder: Path, kept: Kept) -> None:
    (folder / KEPT).write_bytes(msgspec.json.encode(kept))


def folders(builds: Path) -> list[Path]:
    """Those of builds whose machines were left as they were."""
    return sorted(found.parent for found in builds.glob(f"*/{KEPT}"))


def find(builds: Path, root: str, build: str) -> Kept | None:
    """The machine that the build left last."""
    found: list[tuple[float, Kept]] = []
    for folder in folders(builds):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            file = folder / KEPT
            kept = msgspec.json.decode(file.read_bytes(), type=Kept)
            if (kept.root, kept.build) == (root, build):
                found.append((file.stat().st_mtime, kept))
    return max(found, key=lambda one: one[0])[1] if found else None

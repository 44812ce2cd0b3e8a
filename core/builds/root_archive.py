"""The root file system of a box for containers."""

from __future__ import annotations

from pathlib import Path

NAME = "rootfs.tar.zst"
"""What boxes for containers call it."""


def pack(source: Path, target: Path) -> None:
    """Compress a tar archive."""
    import zstandard

    with source.open("rb") as read, target.open("wb") as write:
        zstandard.ZstdCompressor(level=3, threads=-1).copy_stream(read, write)

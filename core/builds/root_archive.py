"""The root file system of a box for containers."""

from __future__ import annotations

import tarfile
from pathlib import Path

NAME = "rootfs.tar.zst"
"""What boxes for containers call it."""

PACKED = "root-archive"
"""Format of an artifact that is nothing but this."""


def pack(source: Path, target: Path) -> None:
    """Compress a tar archive."""
    import zstandard

    with source.open("rb") as read, target.open("wb") as write:
        zstandard.ZstdCompressor(level=3, threads=-1).copy_stream(read, write)


def repack(source: Path, target: Path, prefix: str) -> bool:
    """Compress what lies below ``prefix`` (``rootfs/``) in a tar archive, as if it were all. False where
    nothing does. Blocks."""
    import zstandard

    found = False
    with (
        tarfile.open(source, "r|*") as read,
        target.open("wb") as file,
        zstandard.ZstdCompressor(level=3, threads=-1).stream_writer(file) as write,
        tarfile.open(fileobj=write, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for entry in read:
            name = entry.name.removeprefix("./") + ("/" if entry.isdir() else "")
            if not name.startswith(prefix):
                continue
            entry.name = f"./{name[len(prefix) :]}"
            if entry.islnk():
                entry.linkname = f"./{entry.linkname.removeprefix('./').removeprefix(prefix)}"
            entry.pax_headers = {
                key: value for key, value in entry.pax_headers.items() if key not in ("path", "linkpath")
            }
            archive.addfile(entry, read.extractfile(entry) if entry.isreg() else None)
            found = True
    return found

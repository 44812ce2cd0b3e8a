"""What the store writes down about a box: one small JSON file each."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from core.boxes.architecture import canonical
from core.boxes.versions import Version
from core.errors import BoxwrightError, UsageError
from core.model.box import Box, BoxKey
from core.model.machine import Disk

FORMAT = 1
"""Of the manifest itself; a higher number comes from a newer Boxwright."""


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a box: its content lies in the blob of that SHA-256."""

    path: str
    """Relative, within the box."""
    blob: str
    size: int
    """Bytes, holes included."""
    allocated: int = 0
    """Bytes that it takes on the disk."""


class StoredDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the box that is a disk image, in the order in which the guest sees them."""

    path: str
    format: str
    size: int
    """Virtual size in bytes."""
    name: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A box as it is stored."""

    format: int = FORMAT
    key: BoxKey
    files: tuple[StoredFile, ...]
    disks: tuple[StoredDisk, ...] = ()
    added: float
    url: str = ""
    catalogue: str = ""
    checksum: str = ""
    description: str = ""
    fingerprint: str = ""
    firmware: str = "bios"
    user: str = "vagrant"
    identity: str = ""
    """Path within the box of a private key, "" for none."""
    metadata: dict[str, Any] = {}

    @property
    def blobs(self) -> frozenset[str]:
        return frozenset(file.blob for file in self.files)

    @property
    def size(self) -> int:
        return sum({file.blob: file.allocated for file in self.files}.values())

    def file(self, path: str) -> StoredFile:
        return next(file for file in self.files if file.path == path)

    def box(self, blobs: Path) -> Box:
        """The box as everybody else sees it; ``blobs`` is the folder of the blobs."""

        def place(path: str) -> str:
            return str(blob_path(blobs, self.file(path).blob))

        return Box(
            key=self.key,
            disks=tuple(
                Disk(path=place(disk.path), format=disk.format, size=disk.size, name=disk.name)
                for disk in self.disks
            ),
            files={file.path: str(blob_path(blobs, file.blob)) for file in self.files},
            size=self.size,
            added=self.added,
            url=self.url,
            catalogue=self.catalogue,
            checksum=self.checksum,
            description=self.description,
            fingerprint=self.fingerprint,
            firmware=self.firmware,
            user=self.user,
            identity=place(self.identity) if self.identity else "",
            metadata=self.metadata,
        )


def blob_path(blobs: Path, digest: str) -> Path:
    return blobs / digest[:2] / digest


def file_name(key: BoxKey) -> str:
    """The manifest's file name: one for each key, whatever characters that holds."""
    parts = (key.name, key.version, key.provider, canonical(key.architecture))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32] + ".json"


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def decode(data: bytes, path: Path) -> Manifest:
    """Raises BoxwrightError where the file is damaged or comes from a newer Boxwright."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
        Version(manifest.key.version)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, UsageError) as error:
        raise BoxwrightError(
            f"The record of a box, {path}, is damaged.",
            why=f"{error}",
            remedy=f"rm {path}; then add the box again",
        ) from error
    if manifest.format > FORMAT:
        raise BoxwrightError(
            f"The record of the box {manifest.key} was written by a newer Boxwright.",
            why=f"It has format {manifest.format}; this one understands up to {FORMAT}.",
            remedy="install the newer Boxwright again",
        )
    paths = {file.path for file in manifest.files}
    missing = {disk.path for disk in manifest.disks} | ({manifest.identity} - {""})
    if not missing <= paths or not all(_is_digest(file.blob) for file in manifest.files):
        raise BoxwrightError(
            f"The record of the box {manifest.key}, {path}, is damaged.",
            why="It names files that it does not list.",
            remedy=f"rm {path}; then add the box again",
        )
    return manifest


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)

"""Boxes as everybody sees them."""

from __future__ import annotations

from typing import Any

import msgspec

from core.model.machine import Disk


class BoxKey(msgspec.Struct, frozen=True, order=True):
    """What tells one box from another in the store."""

    name: str
    version: str
    provider: str
    architecture: str = ""
    """"" where the box does not say; matches every architecture."""

    def __str__(self) -> str:
        suffix = f", {self.architecture}" if self.architecture else ""
        return f"{self.name} {self.version} ({self.provider}{suffix})"


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A box in the store."""

    key: BoxKey
    disks: tuple[Disk, ...]
    files: dict[str, str] = {}
    """All its files: path within the box to the absolute path in the store."""
    size: int = 0
    """Bytes that it takes in the store (shared content is counted with every box that has it)."""
    added: float = 0.0
    url: str = ""
    """Where it came from: a file, a URL; "" for a built one."""
    catalogue: str = ""
    """Where newer versions are listed, "" where nowhere."""
    checksum: str = ""
    """Of the archive, as ``sha256:...``."""
    description: str = ""
    fingerprint: str = ""
    """For a built box: the hash of everything that went into its build."""
    firmware: str = "bios"
    user: str = "vagrant"
    """Account for SSH."""
    identity: str = ""
    """Path of a private key that the box brought along, "" for the well-known insecure key."""
    metadata: dict[str, Any] = {}
    """The box's ``metadata.json`` as it was."""

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def version(self) -> str:
        return self.key.version


class BoxUse(msgspec.Struct, frozen=True):
    """A box and the machines that are linked to it."""

    box: Box
    machines: tuple[str, ...] = ()

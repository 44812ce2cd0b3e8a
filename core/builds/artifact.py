"""What a build leaves: files, or something that a hypervisor or registry keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from core.undo import remove

BOX = "boxwright.box"
"""The maker of boxes."""

Remove = Callable[[], Awaitable[None]]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact: the output of a source or of a post-processor."""

    maker: str
    """Packer's id of who made it, e.g. ``transcend.qemu``: post-processors and manifests go by it."""
    files: tuple[str, ...] = ()
    """Absolute paths; () for what is kept elsewhere."""
    id: str = ""
    """What it is called where it is kept: an image's id, a box's key."""
    text: str = ""
    """For people, in a few words."""
    facts: dict[str, str] = {}
    """E.g. ``format``, ``provider``: what the next post-processor wants to know."""
    remove_elsewhere: Remove | None = None
    """Removes what is kept elsewhere."""

    async def remove(self) -> None:
        """Nothing of it is left, nor the folder in which it was alone."""
        for file in self.files:
            await asyncio.to_thread(remove, Path(file))
        for folder in {Path(file).parent for file in self.files}:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        if self.remove_elsewhere is not None:
            await self.remove_elsewhere()

    @property
    def disks(self) -> tuple[str, ...]:
        """Of a machine's files its disk images."""
        beside = self.facts.get("variables")
        return tuple(file for file in self.files if not beside or Path(file).name != beside)

    @property
    def variables(self) -> Path | None:
        """Of a machine's files its UEFI variables."""
        beside = self.facts.get("variables")
        return next((Path(file) for file in self.files if beside and Path(file).name == beside), None)

    @property
    def size(self) -> int:
        return sum(Path(file).stat().st_size for file in self.files if Path(file).exists())


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a post-processor made of an artifact."""

    artifact: Artifact | None
    """None ends the chain."""
    keep: bool = False
    """Whether the input stays where nobody says otherwise."""
    must_keep: bool = False
    """Whether it stays whatever the template says."""

"""Artifacts come beside their place and are renamed into it; what is there is not overwritten unasked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from core.boxes.threads import Stop, in_thread
from core.builds.scene import Scene
from core.errors import UsageError
from core.model.work import Work
from core.undo import remove

OUTPUT = "build.output"
"""Kind of intent: the artifact ``path`` of a build that is not done. Another file, with another ``inode``,
that somebody puts there is none of ours."""

FOLDERS = "build.output-folders"
"""Kind of intent: the folders ``paths`` in which it lies, the innermost first; one with more in it stays."""


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raises UsageError where something is there and may not be replaced."""
    if path.exists() and not force:
        raise UsageError(
            f"{path} is there already.",
            why="A build does not overwrite what an earlier one, or somebody else, made.",
            remedy="boxwright build --force ...   (replaces it)",
        )


@asynccontextmanager
async def claim(path: Path, scene: Scene, work: Work) -> AsyncIterator[Path]:
    """A place beside ``path`` in which a file or folder is made; afterwards it takes the place of ``path``.

    The promise to remove it stays open until the source is done; not so where it replaced another one.
    Raises UsageError where something is there that may not be replaced.
    """
    refuse_existing(path, force=scene.force)
    missing = [folder for folder in path.parents if not _inode(folder)]
    if missing:
        scene.promises.append(work.intend(FOLDERS, paths=[str(folder) for folder in missing]))
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    intent = work.intend("path", path=str(beside))
    await in_thread(partial(path.parent.mkdir, parents=True, exist_ok=True), Stop())
    yield beside
    refuse_existing(path, force=scene.force)
    if not _inode(path):
        scene.promises.append(work.intend(OUTPUT, path=str(path), inode=_inode(beside)))
    await in_thread(partial(_replace, beside, path), Stop())
    intent.settle()


async def remove_output(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`OUTPUT`."""
    path = Path(facts["path"])
    if _inode(path) == facts["inode"]:
        await asyncio.to_thread(remove, path)


async def remove_folders(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`FOLDERS`."""
    for path in facts["paths"]:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(os.rmdir, path)


def _inode(path: Path) -> int:
    """0 where nothing is there."""
    return path.stat().st_ino if path.exists() else 0


def _replace(beside: Path, path: Path) -> None:
    if path.is_dir():
        old = path.with_name(f"{beside.name}.old")
        path.rename(old)
        beside.rename(path)
        remove(old)
    else:
        beside.replace(path)

"""Artifacts come beside their place and are renamed into it; what is there is not overwritten unasked."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.errors import UsageError
from core.model.work import Work
from core.undo import remove


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raises UsageError where something is there and may not be replaced."""
    if path.exists() and not force:
        raise UsageError(
            f"{path} is there already.",
            why="A build does not overwrite what an earlier one, or somebody else, made.",
            remedy="boxwright build --force ...   (replaces it)",
        )


@asynccontextmanager
async def claim(path: Path, *, force: bool, work: Work) -> AsyncIterator[Path]:
    """A place beside ``path`` in which a file or folder is made; afterwards it takes the place of ``path``.

    Raises UsageError where something is there and ``force`` is not given.
    """
    refuse_existing(path, force=force)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    intent = work.intend("path", path=str(beside))
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    yield beside
    refuse_existing(path, force=force)
    await asyncio.to_thread(_replace, beside, path)
    intent.settle()


def _replace(beside: Path, path: Path) -> None:
    if path.is_dir():
        old = path.with_name(f"{beside.name}.old")
        path.rename(old)
        beside.rename(path)
        remove(old)
    else:
        beside.replace(path)

"""Undo functions that everybody shares."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.model.work import UndoTable


def remove(path: Path) -> None:
    """Remove a file, link or whole folder; one that is not there is no error.

    Unpacked trees may hold folders without permissions: those are granted, inside of ``path``.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path, onerror=_gone_is_fine)
    except PermissionError:
        _grant(path)
        shutil.rmtree(path, onerror=_gone_is_fine)


def _gone_is_fine(_function: Any, _name: str, error: Any) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


def _grant(top: Path) -> None:
    """Let the owner into every folder of a tree."""
    top.chmod(0o700)
    for folder, folders, _ in os.walk(top):
        for name in folders:
            inner = Path(folder, name)
            if not inner.is_symlink():
                inner.chmod(0o700)


async def _remove_path(facts: Mapping[str, Any]) -> None:
    await asyncio.to_thread(remove, Path(facts["path"]))


SHARED: UndoTable = {"path": _remove_path}
"""``path``: remove the file or folder ``path``."""

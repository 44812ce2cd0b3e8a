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
    """Remove a file, link or whole folder; one that is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=_make_writable)
    else:
        path.unlink(missing_ok=True)


def _make_writable(function: Any, path: str, _error: Any) -> None:
    """Unpacked trees may hold folders without write permission: grant it, try once more."""
    if not os.path.lexists(path):
        return
    for target in (os.path.dirname(path), path):
        if not os.path.islink(target):
            os.chmod(target, 0o700)
    function(path)


async def _remove_path(facts: Mapping[str, Any]) -> None:
    await asyncio.to_thread(remove, Path(facts["path"]))


SHARED: UndoTable = {"path": _remove_path}
"""``path``: remove the file or folder ``path``."""

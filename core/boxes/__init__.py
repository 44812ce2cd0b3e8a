"""Boxes: where they come from, what is in them, and the store that all projects share.

This module stays light; :mod:`core.boxes.store` and :mod:`core.boxes.actions` have the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.model.work import UndoTable


async def _sweep(facts: Mapping[str, Any]) -> None:
    from core.boxes.store import BoxStore

    await asyncio.to_thread(lambda: BoxStore(Path(facts["store"])).sweep())


UNDO: UndoTable = {"boxes.leftovers": _sweep}
"""``boxes.leftovers``: remove from the store in the folder ``store`` what no box needs."""

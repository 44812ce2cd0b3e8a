"""Removes machines of builds that were left as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Silence, UndoTable

MACHINE = "build.machine"
"""Kind of what is left: the machine ``plan`` of the ``provider``, and its runtime folder."""


async def remove_machine(facts: Mapping[str, Any]) -> None:
    """Raises ProviderError where the provider cannot do it now."""
    import asyncio
    from importlib.metadata import entry_points
    from pathlib import Path

    from core.undo import remove

    found = entry_points(group="boxwright.providers", name=facts["provider"])
    if not found:
        raise ProviderError(f"The provider {facts['provider']} is not installed any more.")
    plan = msgspec.convert(facts["plan"], MachinePlan)
    provider = next(iter(found)).load()()
    try:
        await provider.destroy(plan, Silence())
    finally:
        await provider.close()
    await asyncio.to_thread(remove, Path(plan.runtime))


UNDO: UndoTable = {MACHINE: remove_machine}

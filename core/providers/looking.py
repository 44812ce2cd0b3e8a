"""The states of many machines, with one bulk look at each daemon, server or hypervisor that has some."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TypeVar

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen

_Record = TypeVar("_Record")
_Place = TypeVar("_Place", bound=Hashable)


async def look_by_place(
    plans: Sequence[MachinePlan],
    *,
    read: Callable[[MachinePlan], _Record | None],
    place: Callable[[MachinePlan, _Record | None], _Place],
    look: Callable[[_Place, Sequence[tuple[MachinePlan, _Record | None]]], Awaitable[dict[str, Seen]]],
) -> dict[str, Seen]:
    """By machine id. ``read``: a machine's record; ``place``: where the machine is; ``look``: at all that are
    at one place. Those at a place that cannot be reached are left out; where that is all of them, its
    error is raised."""
    seen: dict[str, Seen] = {}
    groups: dict[_Place, list[tuple[MachinePlan, _Record | None]]] = {}
    for plan in plans:
        try:
            record = read(plan)
        except BoxwrightError as error:
            seen[plan.id] = Seen(state=MachineState.BROKEN, trouble=str(error))
            continue
        groups.setdefault(place(plan, record), []).append((plan, record))
    failure: BoxwrightError | None = None
    for where, group in groups.items():
        try:
            seen.update(await look(where, group))
        except BoxwrightError as error:
            failure = error
    if failure and not seen:
        raise failure
    return seen

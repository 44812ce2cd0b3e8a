"""Builds that are killed at one point after another, and what the next engine takes back then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from core.undo import SHARED
from tests.builds.killed import unsettled
from tests.builds.test_killed import killed_at
from tests.builds.yard import Yard


async def undone(yard: Yard) -> None:
    """Take back what a build that was killed has left promised."""
    journal = yard.locations.data.parent / "intents.jsonl"
    for kind, facts in unsettled(journal):
        await {**SHARED, **yard.undo}[kind](facts)
    journal.unlink(missing_ok=True)


async def kill_at(yard: Yard, points: Iterable[int], check: Callable[[], Awaitable[None]]) -> list[str]:
    """Kill the build of the yard's template at each of ``points``, undo it, and ``check`` what is left, until
    one comes to its end: that one stays as it is. Returns the names of all its points."""
    home = yard.locations.data.parent
    names: list[str] = []
    for point in points:
        (home / "points").unlink(missing_ok=True)
        await killed_at(home, ("tests.builds.killed_container", str(home)), point)
        names = (home / "points").read_text().splitlines()
        if "end Clean up" in names:
            break
        await undone(yard)
        await check()
    return names

"""What every source of builds keeps to: one suite, run for each of them where it really builds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import pytest

from core.builds.layers import LayerStore
from core.builds.run import prune
from tests.builds.kills import kill_at
from tests.builds.test_killed import left
from tests.builds.yard import Yard


class Bench(ABC):
    """One source: a template for it, and what there is where it builds."""

    steps: ClassVar[tuple[str, ...]]
    """Within which a build is cancelled."""
    points: ClassVar[range]
    """Of the journal, at which a build is killed."""
    promises: ClassVar[frozenset[str]]
    """Some of the points' names."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard

    @abstractmethod
    def describe(self, step: str = "") -> None:
        """Write the template; ``step``: the one within which the build will be cancelled."""

    @abstractmethod
    async def outside(self) -> object:
        """All that there is outside of the home, to be compared."""

    @abstractmethod
    async def runs(self) -> bool:
        """Whether a machine or container is there."""

    @abstractmethod
    async def discard(self) -> None:
        """Remove the artifact of a build that came to its end."""

    async def nothing_left(self, before: object) -> None:
        await prune(LayerStore(self.yard.locations.layers), self.yard.work, 0)
        assert await self.outside() == before
        assert left(self.yard.locations.data.parent) == []
        assert [str(path) for path in self.yard.folder.rglob("*") if not path.name.startswith("a.pkr.")] == []


class SourceContract:
    """Subclasses have a fixture ``bench``."""

    async def test_cancelled_within_a_step_it_leaves_nothing(self, bench: Bench) -> None:
        before = await bench.outside()
        for step in bench.steps:
            bench.describe(step)
            await bench.yard.cancel_within(step)
            assert not await bench.runs(), f"it is gone before cancelling in {step!r} returns"
            assert await bench.yard.left() == []
            await bench.nothing_left(before)

    async def test_killed_at_spread_points_it_leaves_nothing(self, bench: Bench) -> None:
        names = await self._killed(bench, bench.points)
        assert {f"intend {kind}" for kind in bench.promises} <= set(names)

    @pytest.mark.slow
    async def test_killed_at_each_point_it_leaves_nothing(self, bench: Bench) -> None:
        await self._killed(bench, range(1, 1000))

    async def _killed(self, bench: Bench, points: range) -> list[str]:
        """The names of all points; the last build comes to its end."""
        bench.describe()
        before = await bench.outside()
        names = await kill_at(bench.yard, points, lambda: bench.nothing_left(before))
        (bench.yard.locations.data.parent / "intents.jsonl").unlink(missing_ok=True)
        await bench.discard()
        await bench.nothing_left(before)
        return names

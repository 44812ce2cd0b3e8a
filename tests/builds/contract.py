"""What every source of builds keeps to: one suite, run for each of them where it really builds."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import ClassVar

import pytest

from core.builds.base import Request
from core.builds.layers import LayerStore
from core.builds.run import prune
from core.errors import UsageError
from tests.builds.kills import kill_at
from tests.builds.test_killed import left
from tests.builds.yard import Yard

SECRET = "s3cret-of-a-bu1ld"

_VARIABLE = {"key": {"type": "string", "sensitive": True}}
_LOOKS = {
    "environment_vars": ["KEY=${var.key}"],
    "inline": ["echo it is $KEY", "cat /proc/[0-9]*/cmdline 2>/dev/null || true"],
}
_MANIFEST = {"output": "manifest.json", "custom_data": {"key": "${var.key}"}}


class Bench(ABC):
    """One source: a template for it, and what there is where it builds."""

    remembers: ClassVar[bool] = True
    """Whether it knows that nothing has changed; else what is there is never overwritten unasked."""

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

    def hand_over_secret(self) -> None:
        """Into the template: a step that is given the secret, says it and looks at all processes, and a
        manifest that is to have it."""
        path = next(self.yard.folder.glob("a.pkr.*"))
        if path.suffix == ".json":
            whole = json.loads(path.read_text())
            whole["variable"] = _VARIABLE
            whole["build"].setdefault("provisioner", []).append({"shell-local": _LOOKS})
            whole["build"].setdefault("post-processor", []).append({"manifest": _MANIFEST})
            path.write_text(json.dumps(whole))
            return
        variable, looks, manifest = (
            "".join(f"{name} = {json.dumps(value)}\n" for name, value in part.items())
            for part in (_VARIABLE["key"], _LOOKS, _MANIFEST)
        )
        more = f'provisioner "shell-local" {{\n{looks}}}\npost-processor "manifest" {{\n{manifest}}}\n'
        head, build, steps = path.read_text().partition("build {")
        source, line, rest = steps.partition("]\n")
        variable = variable.replace('"string"', "string")
        path.write_text(f'variable "key" {{\n{variable}}}\n{head}{build}{source}{line}{more}{rest}')

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

    async def test_what_is_there_stays_unasked_and_a_secret_is_seen_nowhere(self, bench: Bench) -> None:
        yard, before = bench.yard, await bench.outside()
        bench.describe()
        await yard.build()
        if bench.remembers:
            await yard.build()
            assert [state for name, state in yard.work.states.items()] == ["cached"], "nothing changed"
        there = await bench.outside()
        bench.hand_over_secret()
        with pytest.raises(UsageError, match="there already"):
            await yard.build(variables=[("key", SECRET)])
        assert not yard.work.intents[:-1], "it is said before anything begins"
        assert await bench.outside() == there
        assert await yard.left() == []
        await yard.build(variables=[("key", SECRET)], request=Request(force=True))
        manifest = yard.folder / "manifest.json"
        assert b"it is <sensitive>" in yard.work.output and "<sensitive>" in manifest.read_text()
        said = f"{yard.work.output!r} {yard.work.notes} {yard.work.states} {yard.work.intents}".encode()
        home = yard.locations.data.parent
        said += b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
        assert SECRET.encode() not in said
        manifest.unlink()
        await bench.discard()
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

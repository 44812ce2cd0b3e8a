"""A build of an AMI that is killed or cancelled anywhere leaves nothing: at EC2, nor in files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from core.builds import undo
from core.undo import SHARED
from tests.builds.amazon import source, template
from tests.builds.test_killed import killed_at, left, unsettled
from tests.builds.yard import Yard
from tests.support.ec2 import Ec2Server

pytestmark = pytest.mark.real


@pytest.fixture
def yard(boxwright_home: Path) -> Yard:
    return Yard(boxwright_home)


STEPS = ("Make a key pair", "Make a security group", "Start the instance", "Wait for SSH", "Make the image")


async def test_cancelled_within_any_step(yard: Yard, ec2: Ec2Server) -> None:
    before = ec2.objects()
    template(yard, ec2, "true")
    for name in STEPS:
        building = asyncio.create_task(yard.build("t.json"))
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
            while name not in yard.work.states:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert ec2.known("instances") == [], f"it is gone before cancelling in {name!r} returns"
        await yard.work.undo()
        assert ec2.objects() == before
        assert await yard.left() == []


async def killed(yard: Yard, ec2: Ec2Server, points: range) -> list[str]:
    """The names of all points; killed at each of ``points`` until all is made."""
    settings = {name: value for name, value in source(ec2).items() if name not in ("type", "name")}
    build = {"sources": ["source.amazon-ebs.web"], "provisioner": [{"shell": {"inline": ["true"]}}]}
    whole = {"source": {"amazon-ebs": {"web": settings}}, "build": build}
    yard.write("a.pkr.json", json.dumps(whole))
    home, before = yard.locations.data.parent, ec2.objects()
    names: list[str] = []
    for point in points:
        (home / "points").unlink(missing_ok=True)
        reached, name = await killed_at(home, ("tests.builds.killed_container", str(home)), point)
        names = (home / "points").read_text().splitlines()
        for kind, facts in unsettled(home / "intents.jsonl"):
            await {**SHARED, **undo.UNDO}[kind](facts)
        if "end Clean up" in names and ec2.known("images") != before["images"]:
            ec2.drop("web 1")
        assert ec2.objects() == before, f"after a kill at point {point}, {name}"
        assert left(home) == []
        (home / "intents.jsonl").unlink(missing_ok=True)
        if not reached:
            break
    return names


async def test_killed_at_spread_points(yard: Yard, ec2: Ec2Server) -> None:
    names = await killed(yard, ec2, range(5, 1000, 6))
    assert names.count("intend build.amazon") == 5


@pytest.mark.slow
async def test_killed_at_each_point(yard: Yard, ec2: Ec2Server) -> None:
    await killed(yard, ec2, range(1, 1000))

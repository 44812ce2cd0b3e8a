"""A build of a container that is killed or cancelled anywhere leaves nothing: at the daemon, nor in files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.builds import undo
from core.builds.base import Request
from core.builds.layers import LayerStore
from core.builds.run import prune
from core.undo import SHARED
from tests.builds.test_killed import killed_at, left, unsettled
from tests.builds.yard import Yard
from tests.support.dockerd import Dockerd

pytestmark = pytest.mark.real

TEMPLATE = """
source "docker" "site" {
  image  = "tiny:1"
  pull   = false
  commit = true
}
build {
  sources = ["docker.site"]
  provisioner "shell" { inline = ["echo one"] }
  provisioner "shell" { inline = ["sleep 0.2"] }
  post-processors {
    post-processor "docker-tag" { repository = "made/site" }
    post-processor "docker-save" { path = "out/image.tar" }
    post-processor "compress" { output = "out/image.tar.gz" }
  }
}
"""


@pytest.fixture
def yard(boxwright_home: Path, daemon: Dockerd) -> Yard:
    made = Yard(boxwright_home)
    made.write("a.pkr.hcl", TEMPLATE)
    return made


async def _nothing_left(yard: Yard, daemon: Dockerd, before: object) -> None:
    home = yard.locations.data.parent
    for kind, facts in unsettled(home / "intents.jsonl"):
        await {**SHARED, **undo.UNDO}[kind](facts)
    await prune(LayerStore(yard.locations.layers), yard.work, 0)
    assert daemon.objects() == before
    assert left(home) == []
    assert [path.name for path in yard.folder.iterdir()] == ["a.pkr.hcl"]


async def _killed(yard: Yard, daemon: Dockerd, points: range) -> list[str]:
    """The names of all points; killed at each of ``points`` until all is made."""
    home, before = yard.locations.data.parent, daemon.objects()
    program = ("tests.builds.killed_container", str(home))
    for point in points:
        (home / "points").unlink(missing_ok=True)
        await killed_at(home, program, point)
        names = (home / "points").read_text().splitlines()
        if "end Clean up" in names:
            break
        await _nothing_left(yard, daemon, before)
        (home / "intents.jsonl").unlink(missing_ok=True)
    with daemon.client() as client:
        client.images.remove("made/site:latest")
    assert (yard.folder / "out/image.tar.gz").exists()
    (yard.folder / "out/image.tar.gz").unlink()
    (yard.folder / "out").rmdir()
    await _nothing_left(yard, daemon, before)
    return names


async def test_killed_at_spread_points(yard: Yard, daemon: Dockerd) -> None:
    names = await _killed(yard, daemon, range(4, 1000, 9))
    assert {"intend build.container", "intend build.image", "intend build.output"} <= set(names)


@pytest.mark.slow
async def test_killed_at_each_point(yard: Yard, daemon: Dockerd) -> None:
    await _killed(yard, daemon, range(1, 1000))


STEPS = ("Start the container", "Provision 2/2  shell", "Make the image", "Post-process  docker-save")


async def test_cancelled_within_any_step(yard: Yard, daemon: Dockerd) -> None:
    before = daemon.objects()
    for name in STEPS:
        building = asyncio.create_task(yard.build(request=Request(no_cache=True)))
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
            while yard.work.states.get(name) != "running":  # noqa: ASYNC110
                await asyncio.sleep(0)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert not daemon.objects()["containers"], f"it is gone before cancelling in {name!r} returns"
        await yard.work.undo()
        await _nothing_left(yard, daemon, before)

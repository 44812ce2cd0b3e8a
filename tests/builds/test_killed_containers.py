"""A build of a container that is killed or cancelled anywhere leaves nothing: at the daemon, nor in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.builds.layers import LayerStore
from core.builds.run import prune
from tests.builds.kills import kill_at, undone
from tests.builds.test_killed import left
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
    await undone(yard)
    await prune(LayerStore(yard.locations.layers), yard.work, 0)
    assert daemon.objects() == before
    assert left(yard.locations.data.parent) == []
    assert [path.name for path in yard.folder.iterdir()] == ["a.pkr.hcl"]


async def _killed(yard: Yard, daemon: Dockerd, points: range) -> list[str]:
    """The names of all points; killed at each of ``points`` until all is made."""
    before = daemon.objects()
    names = await kill_at(yard, points, lambda: _nothing_left(yard, daemon, before))
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
        await yard.cancel_within(name)
        assert not daemon.objects()["containers"], f"it is gone before cancelling in {name!r} returns"
        await yard.work.undo()
        await _nothing_left(yard, daemon, before)

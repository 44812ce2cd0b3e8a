"""Builds of containers keep to what every source does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.builds.contract import Bench, SourceContract
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


class DockerBench(Bench):
    steps = ("Start the container", "Provision 2/2  shell", "Make the image", "Post-process  docker-save")
    points = range(4, 1000, 9)
    promises = frozenset({"build.container", "build.image", "build.output"})

    def __init__(self, yard: Yard, daemon: Dockerd) -> None:
        super().__init__(yard)
        self._daemon = daemon

    def describe(self, step: str = "") -> None:
        self.yard.write("a.pkr.hcl", TEMPLATE)

    async def outside(self) -> object:
        return await asyncio.to_thread(self._daemon.objects)

    async def runs(self) -> bool:
        return bool((await asyncio.to_thread(self._daemon.objects))["containers"])

    async def discard(self) -> None:
        with self._daemon.client() as client:
            client.images.remove("made/site:latest")
        (self.yard.folder / "out/image.tar.gz").unlink()
        (self.yard.folder / "out").rmdir()


class TestDocker(SourceContract):
    @pytest.fixture
    def bench(self, boxwright_home: Path, daemon: Dockerd) -> Bench:
        return DockerBench(Yard(boxwright_home), daemon)

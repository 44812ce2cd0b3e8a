"""Builds of AMIs keep to what every source does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.builds.amazon import source
from tests.builds.contract import Bench, SourceContract
from tests.builds.yard import Yard
from tests.support.ec2 import Ec2Server

pytestmark = pytest.mark.real


class AmazonBench(Bench):
    remembers = False
    steps = (
        "Make a key pair",
        "Make a security group",
        "Start the instance",
        "Wait for SSH",
        "Make the image",
    )
    points = range(5, 1000, 6)
    promises = frozenset({"build.amazon"})

    def __init__(self, yard: Yard, ec2: Ec2Server) -> None:
        super().__init__(yard)
        self._ec2 = ec2

    def describe(self, step: str = "") -> None:
        settings = {name: value for name, value in source(self._ec2).items() if name not in ("type", "name")}
        settings["force_delete_snapshot"] = True
        build = {"sources": ["source.amazon-ebs.web"], "provisioner": [{"shell": {"inline": ["true"]}}]}
        whole = {"source": {"amazon-ebs": {"web": settings}}, "build": build}
        self.yard.write("a.pkr.json", json.dumps(whole))

    async def outside(self) -> object:
        return await asyncio.to_thread(self._ec2.objects)

    async def runs(self) -> bool:
        return bool(await asyncio.to_thread(self._ec2.known, "instances"))

    async def discard(self) -> None:
        await asyncio.to_thread(self._ec2.drop, "web 1")


class TestAmazon(SourceContract):
    @pytest.fixture
    def bench(self, boxwright_home: Path, ec2: Ec2Server) -> Bench:
        return AmazonBench(Yard(boxwright_home), ec2)

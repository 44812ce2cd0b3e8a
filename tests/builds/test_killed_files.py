"""Builds that leave only files keep to what every source does: the sources "file" and "qemu"."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.undo import remove
from tests.builds.contract import Bench, SourceContract
from tests.builds.test_process import alive
from tests.builds.test_small_guests import template
from tests.builds.yard import Yard
from tests.support import bootsector

pytestmark = pytest.mark.real


class FileBench(Bench):
    steps = ("Write the file",)
    points = range(1, 1000, 2)
    promises = frozenset({"build.folder", "build.output"})

    def describe(self, step: str = "") -> None:
        source = 'source "file" "a" {\n  content = "x"\n  target = "out/a.txt"\n}\n'
        self.yard.write("a.pkr.hcl", source + 'build {\n  sources = ["file.a"]\n}\n')

    async def outside(self) -> object:
        return None

    async def runs(self) -> bool:
        return bool(alive(self.yard.locations.data.parent))

    async def discard(self) -> None:
        remove(self.yard.folder / "out")


class QemuBench(FileBench):
    """A guest of a few bytes: nothing is done in it."""

    steps = ("Start the machine", "Shut down", "Write the image")
    points = range(2, 1000, 5)
    promises = frozenset({"build.folder", "build.output", "path"})

    def describe(self, step: str = "") -> None:
        image = bootsector.write_disk(self.yard.locations.data.parent / "small.img")
        self.yard.write("a.pkr.hcl", template(str(image), "none"))


class TestFile(SourceContract):
    @pytest.fixture
    def bench(self, boxwright_home: Path) -> Bench:
        return FileBench(Yard(boxwright_home))


class TestQemu(SourceContract):
    @pytest.fixture
    def bench(self, boxwright_home: Path) -> Bench:
        return QemuBench(Yard(boxwright_home))

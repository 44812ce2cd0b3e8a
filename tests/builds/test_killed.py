"""Killed with SIGKILL at any point of a build, undoing the journal leaves nothing; nor does cancelling."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

import core.boxes
from core.boxes.store import BoxStore
from core.builds import project_builds, undo
from core.builds.sources import bootstrap as bootstrap_source
from core.model.project import Bootstrap, Provision
from core.paths import Locations
from core.providers.qemu import QemuProvider
from core.provisioners.base import ProvisionError
from tests.builds.killed import TABLE, project, unsettled
from tests.builds.test_process import alive, until_ended
from tests.support.work import RecordingWork

pytestmark = pytest.mark.real


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="k"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def left(home: Path) -> list[str]:
    """What is there besides boxes that are finished: processes, working folders, sockets, contents."""
    store = BoxStore(home / "data" / "boxes")
    found = [str(path) for folder in ("data/builds", "run/x") for path in (home / folder).glob("*")]
    found += [str(path) for path in (home / "data/layers").glob(".new-*")]
    found += [str(leftover.path) for leftover in store.leftovers()]
    return found + alive(home)


async def killed_at(home: Path, program: Sequence[str], point: int) -> tuple[bool, str]:
    """Whether there was such a point, and its name."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *program, str(point)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    # Whoever lives on may hold these pipes open: only what is there when the process ends counts.
    status = await asyncio.wait_for(process.wait(), 120)
    said = (await process.stdout.readline()).decode().strip()
    if status not in (0, -9):
        raise AssertionError((await process.stderr.read()).decode())
    return status == -9, said


async def all_points(home: Path, image: str, last: str = "", slow: str = "") -> tuple[list[str], list[int]]:
    """Kill at each point, up to ``last``, and beyond ``slow`` at every third: all before is done each time.

    Returns the names of all points, and the places in that list of those at which it was killed."""
    program = ("tests.builds.killed", str(home), image)
    killed: list[int] = []
    names: list[str] = []
    point = 1
    while not last or last not in names:
        (home / "points").unlink(missing_ok=True)
        reached, name = await killed_at(home, program, point)
        names = (home / "points").read_text().splitlines()
        if not reached:
            break
        for kind, facts in unsettled(home / "intents.jsonl"):
            await TABLE[kind](facts)
        await until_ended(home)
        assert left(home) == [], f"after a kill at point {point}, {name}"
        killed.append(point - 1)
        (home / "intents.jsonl").unlink(missing_ok=True)
        point += 3 if slow and slow in names else 1
    return names, killed


async def test_killed_at_each_point_of_a_bootstrap(home: Path) -> None:
    names, _ = await all_points(home, "", last="end Convert to qcow2")
    assert "output of Install packages" in names
    assert any(name.startswith("note writing the file system") for name in names)
    assert names[:2] == ["begin base", "intend build.folder"]
    assert BoxStore(home / "data" / "boxes").list() == ()


async def test_killed_at_each_point_of_the_provisioners(home: Path, tiny_image: Path) -> None:
    names, killed = await all_points(home, str(tiny_image), slow="begin Wait for SSH")
    for wanted in ("begin Wait for SSH", "begin Seal the system", "begin Merge the changes"):
        assert wanted in names
    assert "intend path" in names and "settled build.folder" in names
    published = names.index("settled boxes.leftovers")
    boxes = BoxStore(home / "data" / "boxes").list()
    assert len(boxes) > sum(at > published for at in killed), "a box that is finished is not lost"
    assert sorted(int(box.version) for box in boxes) == list(range(1, len(boxes) + 1))


async def test_cancelled_within_any_step_of_a_bootstrap(home: Path) -> None:
    locations = Locations(data=home / "data", runtime=home / "run" / "x").prepare()
    store = BoxStore(locations.boxes)
    steps = ("Check the tools", "Install packages", "Write the boot loader", "Convert to qcow2")
    for name in steps:
        work = RecordingWork({**undo.UNDO, **core.boxes.UNDO})
        building = asyncio.create_task(
            project_builds.run_build(
                project=project(home, provisioned=False),
                name="base",
                locations=locations,
                store=store,
                work=work,
            )
        )
        async with asyncio.timeout(120):
            while not _reached(work, name):  # noqa: ASYNC110
                await asyncio.sleep(0)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert alive(home) == [], f"processes end before cancelling in {name!r} returns"
        await work.undo()
        assert left(home) == []
    assert store.list() == ()


def _reached(work: RecordingWork, name: str) -> bool:
    """Whether the step runs; the installing of packages, whether it is well under way."""
    return work.states.get(name) == "running" and (
        name != "Install packages" or b"Need to get" in work.output
    )


async def test_a_failing_provisioner_leaves_nothing(home: Path, tiny_image: Path) -> None:
    locations = Locations(data=home / "data", runtime=home / "run" / "x").prepare()
    whole = project(home, provisioned=True)
    spec = msgspec.structs.replace(
        whole.builds["base"], provision=(Provision(shell="echo the reason; exit 3"), Provision(shell="true"))
    )
    failing = msgspec.structs.replace(whole, builds={"base": spec})

    async def copied(_source: Bootstrap, *, folder: Path, work: object) -> Path:
        return Path(shutil.copy(tiny_image, folder / "disk.qcow2"))

    work = RecordingWork({**undo.UNDO, **core.boxes.UNDO, **QemuProvider().undo})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ProvisionError) as caught:
        patch.setattr(bootstrap_source, "bootstrap", copied)
        await project_builds.run_build(
            project=failing, name="base", locations=locations, store=BoxStore(locations.boxes), work=work
        )
    assert "the reason" in caught.value.problem.tail
    await work.undo()
    assert left(home) == []
    assert BoxStore(locations.boxes).list() == ()

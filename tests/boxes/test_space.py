"""A full disk: said in plain words, the download kept, everything else gone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import boxes
from core.boxes.add import add
from core.boxes.staging import NoSpace
from core.boxes.store import BoxStore
from core.model.command import AddBox
from tests.boxes.making import box, qcow2, sound
from tests.boxes.server import Server
from tests.support.work import RecordingWork

PLAIN = b"".join(b"line %d of something that packs well\n" % number for number in range(300_000))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"only root can make a small file system: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.real
async def test_no_space_while_unpacking(small_disk: Path, tmp_path: Path, server: Server) -> None:
    store, work = BoxStore(small_disk / "store"), RecordingWork(undo=boxes.UNDO)
    data = box(tmp_path / "large.box", sound(filler=PLAIN)).read_bytes()
    assert len(data) < 4 << 20 < 8 << 20 < len(PLAIN)
    url = server.put("/large.box", data)
    with pytest.raises(NoSpace, match="No space is left") as caught:
        await add(store, AddBox(source=url), providers=(), work=work)
    await work.undo()
    assert f"At least {-(-len(qcow2(filler=PLAIN)) // 10**6)} MB are needed" in caught.value.problem.why
    assert "What was downloaded is kept" in caught.value.problem.why
    assert "box prune" in caught.value.problem.remedy
    (kept,) = store.downloads.glob("*.part")
    assert 0 < kept.stat().st_size <= len(data)
    assert not list(store.staging.iterdir()) and not list(store.blobs.glob("*/*"))
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    asked = len(server.asked)
    found = await add(store, AddBox(source=url), providers=(), work=work)
    assert all("Range" in each.headers for each in server.asked[asked:])
    assert found.disks and not list(store.downloads.glob("*.part"))


@pytest.mark.real
async def test_no_space_for_the_download(small_disk: Path, tmp_path: Path, server: Server) -> None:
    store, work = BoxStore(small_disk / "store"), RecordingWork(undo=boxes.UNDO)
    data = box(tmp_path / "large.box", sound(filler=os.urandom(20 << 20))).read_bytes()
    with pytest.raises(NoSpace, match="No space is left") as caught:
        await add(store, AddBox(source=server.put("/large.box", data)), providers=(), work=work)
    await work.undo()
    assert "is kept" in caught.value.problem.why
    assert not list(store.staging.iterdir()) and list(store.downloads.glob("*.part"))


@pytest.mark.real
async def test_no_space_from_a_local_file(small_disk: Path, tmp_path: Path) -> None:
    store, work = BoxStore(small_disk / "store"), RecordingWork(undo=boxes.UNDO)
    path = box(tmp_path / "large.box", sound(filler=PLAIN))
    with pytest.raises(NoSpace):
        await add(store, AddBox(source=str(path)), providers=(), work=work)
    await work.undo()
    assert path.exists() and not list(store.staging.iterdir())

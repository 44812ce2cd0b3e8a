"""Boxes that we write are boxes to us and to the real Vagrant."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from core.boxes.add import add
from core.boxes.pack import export, write_box
from core.boxes.store import BoxStore
from core.errors import BoxwrightError
from core.model.command import AddBox
from core.model.machine import Disk
from tests.boxes.making import backed
from tests.support.work import RecordingWork


@pytest.fixture
def disks(tmp_path: Path) -> list[Disk]:
    """Real images with something in them."""
    made = []
    for number, size in enumerate(("3G", "64M"), 1):
        raw, path = tmp_path / f"{number}.raw", tmp_path / f"{number}.qcow2"
        raw.write_bytes(os.urandom(1 << 20))
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, path], check=True, timeout=60)
        subprocess.run(["qemu-img", "resize", "-q", path, size], check=True, timeout=60)
        made.append(Disk(path=str(path), format="qcow2", name=f"disk{number}"))
    return made


@pytest.mark.real
async def test_what_is_written_is_read_again(
    store: BoxStore, work: RecordingWork, tmp_path: Path, disks: list[Disk]
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"private")
    target = tmp_path / "mine.box"
    await write_box(
        target,
        disks=disks[:1],
        work=work,
        user="me",
        identity=key,
        firmware="uefi",
        architecture="amd64",
        fingerprint="abc",
        description="what it is",
        metadata={"extra": 1},
    )
    assert not work.unsettled
    assert [path.name for path in tmp_path.glob("*.part")] == []
    assert work.progresses[-1][:2] == (Path(disks[0].path).stat().st_size + len(b"private"),) * 2
    box = await add(store, AddBox(source=str(target)), providers=(), work=work)
    assert (box.user, box.firmware, box.fingerprint, box.description) == ("me", "uefi", "abc", "what it is")
    assert str(box.key) == "mine 0 (libvirt, amd64)"
    assert box.metadata["extra"] == 1 and box.metadata["virtual_size"] == 3
    assert Path(box.identity).read_bytes() == b"private"
    assert Path(box.disks[0].path).read_bytes() == Path(disks[0].path).read_bytes()
    again = tmp_path / "again.box"
    await export(box, again, work)
    copy = await add(store, AddBox(source=str(again)), providers=(), work=work)
    assert (copy.disks, copy.identity, copy.user) == (box.disks, box.identity, box.user)


@pytest.mark.real
@pytest.mark.parametrize("count", [1, 2], ids=["format 1", "format 2"])
async def test_the_real_vagrant_takes_it(
    store: BoxStore, work: RecordingWork, tmp_path: Path, disks: list[Disk], count: int
) -> None:
    vagrant = shutil.which("vagrant")
    if not vagrant:
        pytest.skip("vagrant is not installed")
    target = tmp_path / "mine.box"
    await write_box(target, disks=disks[:count], work=work, user="me")
    home = tmp_path / "vagrant.d"
    environment = {**os.environ, "VAGRANT_HOME": str(home), "VAGRANT_CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [vagrant, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("box", "add", "--name", "me/mine", str(target))
    assert "me/mine (libvirt, 0)" in run("box", "list")
    folder = home / "boxes/me-VAGRANTSLASH-mine/0/libvirt"
    metadata = json.loads((folder / "metadata.json").read_text())
    assert ("disks" in metadata) == (count == 2)
    from core.boxes.import_vagrant import import_boxes

    result = await import_boxes(store, str(home), work)
    assert result == {"imported": ["me/mine 0 (libvirt)"], "skipped": []}
    found = store.find("me/mine")
    assert found and found.user == "me"
    assert [disk.name for disk in found.disks] == (["disk1", "disk2"] if count == 2 else [""])


@pytest.mark.real
async def test_disks_with_backing_files_are_refused(work: RecordingWork, tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(backed())
    with pytest.raises(BoxwrightError, match="names a backing file"):
        await write_box(tmp_path / "x.box", disks=[Disk(path=str(disk))], work=work)
    assert not (tmp_path / "x.box").exists()


@pytest.mark.real
async def test_a_failing_write_leaves_nothing(work: RecordingWork, tmp_path: Path, disks: list[Disk]) -> None:
    (tmp_path / "taken.box").mkdir()
    with pytest.raises(BoxwrightError, match="file system refuses"):
        await write_box(tmp_path / "taken.box", disks=disks[:1], work=work)
    await work.undo()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.real
async def test_what_is_small_comes_first(work: RecordingWork, tmp_path: Path, disks: list[Disk]) -> None:
    """So that whoever unpacks it knows sizes before the disks arrive."""
    await write_box(tmp_path / "x.box", disks=disks, work=work)
    with tarfile.open(tmp_path / "x.box") as archive:
        assert archive.getnames() == ["metadata.json", "info.json", "Vagrantfile", "disk1.img", "disk2.img"]

"""The store: what is put in comes out, is found by version, and is never lost or left over."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from core.boxes.manifest import blob_path
from core.boxes.store import BoxStore
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.box import Box, BoxKey
from tests.boxes.making import backed, qcow2
from tests.support.work import RecordingWork


async def built(
    store: BoxStore,
    work: RecordingWork,
    folder: Path,
    name: str = "mine",
    version: str = "1.0",
    *,
    provider: str = "qemu",
    content: bytes = b"",
    architecture: str = "",
    linked: dict[BoxKey, list[str]] | None = None,
) -> Box:
    disk = folder / "disk.qcow2"
    disk.write_bytes(qcow2(filler=content or f"{name}{version}{provider}".encode()))
    return await store.put_built(
        key=BoxKey(name, version, provider, architecture),
        disks=[disk],
        fingerprint=f"print of {name} {version}",
        user="root",
        work=work,
        linked=linked,
    )


async def test_a_built_box_is_moved_in_and_found(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    disk, key = tmp_path / "disk.qcow2", tmp_path / "key"
    disk.write_bytes(qcow2(5 << 30))
    key.write_bytes(b"private")
    inode = disk.stat().st_ino
    box = await store.put_built(
        key=BoxKey("mine", "1.0", "qemu", "amd64"),
        disks=[disk],
        fingerprint="abc",
        user="root",
        identity=key,
        metadata={"note": 1},
        description="mine",
        firmware="uefi",
        work=work,
    )
    assert not disk.exists() and not key.exists()
    (stored,) = box.disks
    assert (stored.format, stored.size) == ("qcow2", 5 << 30)
    assert Path(stored.path).stat().st_ino == inode, "it was copied"
    assert Path(stored.path).name == hashlib.sha256(qcow2(5 << 30)).hexdigest()
    assert Path(stored.path).stat().st_mode & 0o777 == 0o444
    assert Path(box.identity).read_bytes() == b"private"
    assert Path(box.identity).stat().st_mode & 0o777 == 0o400
    assert (box.user, box.firmware, box.description, box.metadata) == ("root", "uefi", "mine", {"note": 1})
    assert box.size == sum(Path(path).stat().st_blocks * 512 for path in (stored.path, box.identity))
    assert store.list() == (box,)
    assert store.get(box.key) == box
    assert store.find_build("abc") == box
    assert store.find_build("") is None
    assert BoxStore(store.folder).list() == (box,), "another process sees something else"
    assert not work.unsettled
    assert not list(store.staging.iterdir())


async def test_disks_that_name_other_files_are_refused_and_stay(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    disk = tmp_path / "disk.qcow2"
    disk.write_bytes(backed())
    with pytest.raises(BoxwrightError, match="names a backing file"):
        await store.put_built(key=BoxKey("a", "1", "qemu"), disks=[disk], fingerprint="f", work=work)
    await work.undo()
    assert disk.exists()
    assert store.list() == ()
    assert not store.leftovers()


async def test_a_version_that_is_none_is_refused(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="not a version"):
        await built(store, work, tmp_path, version="new one")
    assert store.list() == ()
    assert (tmp_path / "disk.qcow2").exists()


async def test_find_takes_the_newest_version_then_the_preferred_provider(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    for version, provider in (("1.9", "qemu"), ("1.10", "libvirt"), ("1.10", "qemu"), ("2.0-beta", "qemu")):
        await built(store, work, tmp_path, version=version, provider=provider)

    def found(constraint: str, *providers: str) -> tuple[str, str]:
        box = store.find("mine", constraint, providers)
        return (box.version, box.key.provider) if box else ("", "")

    assert found("", "qemu", "libvirt") == ("1.10", "qemu")
    assert found("", "libvirt", "qemu") == ("1.10", "libvirt")
    assert found("< 1.10", "libvirt", "qemu") == ("1.9", "qemu")
    assert found("> 2.0-alpha", "qemu") == ("2.0-beta", "qemu")
    assert found("< 1.10", "libvirt") == ("", "")
    assert found("")[0] == "1.10"
    assert store.find("other") is None
    assert [box.version for box in store.list()] == ["2.0-beta", "1.10", "1.10", "1.9"]


async def test_architectures_have_several_names(store: BoxStore, work: RecordingWork, tmp_path: Path) -> None:
    box = await built(store, work, tmp_path, architecture="x86_64")
    assert store.get(BoxKey("mine", "1.0", "qemu", "amd64")) == box
    assert store.find("mine", architecture="amd64") == box
    assert store.find("mine", architecture="any") == box
    assert store.find("mine", architecture="arm64") is None


async def test_a_replaced_box_stays_for_linked_machines(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    old = await built(store, work, tmp_path, content=b"old")
    new = await built(store, work, tmp_path, content=b"new", linked={old.key: ["web"]})
    assert store.list() == (new,)
    assert Path(old.disks[0].path).exists()
    assert store.sweep() == 0
    newest = await built(store, work, tmp_path, content=b"newest", linked={})
    assert store.list() == (newest,)
    assert not Path(old.disks[0].path).exists()
    assert not Path(new.disks[0].path).exists()


async def test_shared_content_stays_while_one_box_needs_it(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    first = await built(store, work, tmp_path, "first", content=b"same")
    second = await built(store, work, tmp_path, "second", content=b"same")
    assert first.disks == second.disks
    assert store.remove(first.key) == 0
    assert Path(second.disks[0].path).exists()
    assert store.remove(second.key) == second.size
    assert not Path(second.disks[0].path).exists()
    with pytest.raises(NotFoundError):
        store.remove(second.key)


async def test_nothing_is_swept_while_a_record_cannot_be_read(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    box = await built(store, work, tmp_path)
    other = await built(store, work, tmp_path, "other")
    path = store.records.path(box.key)
    path.write_bytes(path.read_bytes()[:-40])
    assert store.list() == (other,)
    assert store.sweep() == 0
    assert Path(box.disks[0].path).exists()
    with pytest.raises(BoxwrightError, match="damaged"):
        store.get(box.key)
    path.unlink()
    assert store.sweep() == box.size


async def test_leftovers_are_found_and_swept(store: BoxStore, work: RecordingWork, tmp_path: Path) -> None:
    box = await built(store, work, tmp_path)
    orphan = blob_path(store.blobs, "ab" + "0" * 62)
    orphan.parent.mkdir()
    orphan.write_bytes(b"x" * 5000)
    (store.staging / "dead" / "content").mkdir(parents=True)
    (store.staging / "dead" / "content" / "0").write_bytes(b"y" * 5000)
    async with store.staging_folder(work) as alive:
        assert {each.path.name for each in store.leftovers()} == {"dead", orphan.name}
        assert store.sweep() >= 10000
        assert alive.folder.exists(), "the folder of somebody who is at work was removed"
    assert not store.leftovers()
    assert store.list() == (box,)


async def test_content_on_another_file_system_is_copied(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system here")
    disk = elsewhere / f"boxwright-test-{os.getpid()}"
    disk.write_bytes(qcow2(filler=bytes(1 << 20) + b"end"))
    try:
        box = await store.put_built(key=BoxKey("a", "1", "qemu"), disks=[disk], fingerprint="f", work=work)
    finally:
        disk.unlink(missing_ok=True)
    stored = Path(box.disks[0].path)
    assert stored.read_bytes() == qcow2(filler=bytes(1 << 20) + b"end")
    assert stored.stat().st_blocks * 512 < 1 << 19, "the zeros were written out"

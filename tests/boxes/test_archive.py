"""Archives of every kind become the same box; hostile and damaged ones become an error and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import tarfile
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.boxes.add import add
from core.boxes.archive import unpack
from core.boxes.checksum import ArchiveHash
from core.boxes.contents import HostileArchive
from core.boxes.decompress import DamagedArchive
from core.boxes.formats import BoxGuard, describe
from core.boxes.limits import Limits
from core.boxes.staging import Staging
from core.boxes.store import BoxStore
from core.boxes.streams import LocalFile
from core.boxes.threads import Stop
from core.errors import BoxwrightError
from core.model.box import Box
from core.model.command import AddBox
from tests.boxes.making import COMPRESSIONS, Content, box, entry, metadata, qcow2, sound, tar, zipped
from tests.support.work import RecordingWork

BIG = os.urandom(300_000) + bytes(700_000) + b"end" * 1000


async def added(store: BoxStore, work: RecordingWork, path: Path, **more: Any) -> Box:
    return await add(store, AddBox(source=str(path), **more), providers=("qemu", "libvirt"), work=work)


@pytest.mark.parametrize("kind", [*COMPRESSIONS, "zip"])
async def test_every_kind_of_archive(store: BoxStore, work: RecordingWork, tmp_path: Path, kind: str) -> None:
    files: dict[str, Content] = {**sound(filler=BIG), "Vagrantfile": b'config.ssh.username = "me"'}
    plain = {name: content for name, content in files.items() if isinstance(content, bytes)}
    data = zipped(plain) if kind == "zip" else COMPRESSIONS[kind](tar(files))
    path = tmp_path / f"my.{kind}"
    path.write_bytes(data)
    found = await added(store, work, path)
    assert (found.name, found.version, found.key.provider, found.user) == ("my", "0", "libvirt", "me")
    (disk,) = found.disks
    assert Path(disk.path).read_bytes() == qcow2(filler=BIG)
    assert Path(disk.path).stat().st_blocks * 512 < 450_000, "the zeros were written out"
    assert (disk.format, disk.size) == ("qcow2", 1 << 20)
    assert found.checksum == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert found.url == str(path)
    assert found.metadata["virtual_size"] == 1
    assert work.states == {"Resolve": "done", "Download": "skipped", "Unpack": "done", "Verify": "done"}
    assert not work.unsettled


@pytest.mark.parametrize("kind", [*COMPRESSIONS, "zip"])
@pytest.mark.parametrize("tenth", range(10))
async def test_a_cut_archive_is_an_error_and_leaves_nothing(
    store: BoxStore, work: RecordingWork, tmp_path: Path, kind: str, tenth: int
) -> None:
    plain = {"metadata.json": metadata(), "box.img": qcow2(filler=BIG)}
    data = zipped(plain) if kind == "zip" else COMPRESSIONS[kind](tar(sound(filler=BIG)))
    path = tmp_path / "cut.box"
    path.write_bytes(data[: len(data) * tenth // 10])
    with pytest.raises(BoxwrightError) as caught:
        await added(store, work, path)
    assert isinstance(caught.value, DamagedArchive), caught.value
    assert caught.value.problem.remedy
    assert store.list() == ()


@pytest.mark.parametrize("kind", COMPRESSIONS)
async def test_a_cut_by_the_last_bytes_is_noticed(
    store: BoxStore, work: RecordingWork, tmp_path: Path, kind: str
) -> None:
    """The part that is missing here holds nothing of the box: only the stream's own end."""
    data = tar(sound())
    content = len(data.rstrip(b"\0"))
    data = data[: -(-content // 512) * 512] if kind == "tar" else COMPRESSIONS[kind](data)[:-3]
    path = tmp_path / "cut.box"
    path.write_bytes(data)
    with pytest.raises(DamagedArchive):
        await added(store, work, path)


HOSTILE = {
    "an absolute path": ("absolute path", [("/etc/cron.d/x", b"x")]),
    "a path of Windows": ("absolute path", [("C:\\x", b"x")]),
    "a path with dots": ("'..'", [("a/../../x", b"x")]),
    "a path with dots and backslashes": ("'..'", [("a\\..\\..\\x", b"x")]),
    "a link out of the box": ("leaves the box", [("x", entry("x", tarfile.SYMTYPE, "../../etc/shadow"))]),
    "an absolute link": ("leaves the box", [("x", entry("x", tarfile.SYMTYPE, "/etc/shadow"))]),
    "a hard link out of the box": ("leaves the box", [("x", entry("x", tarfile.LNKTYPE, "/etc/shadow"))]),
    "a hard link up": ("leaves the box", [("d/x", entry("d/x", tarfile.LNKTYPE, "../shadow"))]),
    "a link to nothing": ("to nothing", [("x", entry("x", tarfile.SYMTYPE, "y"))]),
    "links in a circle": (
        "to nothing",
        [("x", entry("x", tarfile.SYMTYPE, "y")), ("y", entry("y", tarfile.SYMTYPE, "x"))],
    ),
    "a device": ("character device", [("x", entry("x", tarfile.CHRTYPE))]),
    "a disk": ("block device", [("x", entry("x", tarfile.BLKTYPE))]),
    "a pipe": ("named pipe", [("x", entry("x", tarfile.FIFOTYPE))]),
    "a name twice": ("twice", [("x", b"1"), ("./x", b"2")]),
    "metadata twice": ("twice", [("metadata.json", metadata(provider="virtualbox"))]),
    "a name with a line break": ("impossible name", [("x\ny", b"x")]),
}


@pytest.mark.parametrize(("message", "more"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_archives_are_refused(
    store: BoxStore, work: RecordingWork, tmp_path: Path, message: str, more: list[tuple[str, Content]]
) -> None:
    path = box(tmp_path / "hostile.box", [*sound().items(), *more])
    store.sweep()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(HostileArchive, match=message):
        await added(store, work, path)
    await work.undo()
    assert sorted(tmp_path.rglob("*")) == before
    assert store.list() == ()


async def test_links_inside_of_the_box_are_followed(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    path = box(
        tmp_path / "linked.box",
        [
            ("metadata.json", metadata()),
            ("images/real.img", qcow2()),
            ("middle", entry("middle", tarfile.LNKTYPE, "images/real.img")),
            ("box.img", entry("box.img", tarfile.SYMTYPE, "./images/../middle")),
        ],
    )
    found = await added(store, work, path)
    assert Path(found.disks[0].path).read_bytes() == qcow2()


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
async def test_dialects_of_tar(store: BoxStore, work: RecordingWork, tmp_path: Path, format: int) -> None:
    name = "folder/" * 10 + "disk.img"
    if format != tarfile.USTAR_FORMAT:
        name = "a-folder-with-a-long-name/" * 10 + "dísk.img"
    path = tmp_path / "dialect.box"
    disks = [{"path": name, "format": "qcow2"}]
    path.write_bytes(tar({name: qcow2(), "metadata.json": metadata(disks=disks)}, format))
    found = await added(store, work, path)
    assert Path(found.disks[0].path).read_bytes() == qcow2()


async def test_times_in_gnu_headers_are_no_part_of_names(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    """Packer's boxes, and those of other programs in Go, hold times where POSIX has the name's beginning."""
    data = bytearray(tar(sound()))
    for at in (0, 1024):
        data[at + 345 : at + 369] = b"15300216003\0" * 2
        data[at + 148 : at + 156] = b" " * 8
        data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    path = tmp_path / "packed.box"
    path.write_bytes(gzip.compress(data))
    found = await added(store, work, path)
    assert Path(found.disks[0].path).read_bytes() == qcow2(filler=b"content")


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=posix"], ["--format=oldgnu"]])
@pytest.mark.real
async def test_sparse_files_of_gnu_tar(
    store: BoxStore, work: RecordingWork, tmp_path: Path, options: list[str]
) -> None:
    """What vagrant-libvirt's script for making boxes writes."""
    import subprocess

    image = tmp_path / "box.img"
    with image.open("wb") as file:
        for at in range(0, 64 << 20, 4 << 20):
            file.seek(at)
            file.write(b"stretch %d" % at)
        file.truncate(65 << 20)
    (tmp_path / "metadata.json").write_bytes(metadata(format="raw"))
    path = tmp_path / "sparse.box"
    subprocess.run(
        ["tar", "-C", tmp_path, *options, "-cSzf", path, "metadata.json", "box.img"], check=True, timeout=60
    )
    found = await added(store, work, path)
    stored = Path(found.disks[0].path)
    assert stored.read_bytes() == image.read_bytes()
    assert stored.stat().st_blocks * 512 < 4 << 20


async def test_an_archive_far_larger_than_declared(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    """10 GiB that are said to be a disk of 1 GiB: refused by its header, before anything is written."""
    info = tarfile.TarInfo("box.img")
    info.size = 10 << 30
    data = tar({"metadata.json": metadata()})[:1024] + info.tobuf() + bytes(2048)
    path = tmp_path / "large.box"
    path.write_bytes(gzip.compress(data))
    with pytest.raises(HostileArchive, match="far larger than the box declares"):
        await added(store, work, path)


async def test_an_image_larger_than_declared_when_the_metadata_comes_last(
    store: BoxStore, work: RecordingWork, tmp_path: Path
) -> None:
    path = box(tmp_path / "large.box", {"box.img": qcow2(100 << 30), "metadata.json": metadata()})
    with pytest.raises(HostileArchive, match="far larger than the box declares"):
        await added(store, work, path)


async def test_the_limit_for_everything(
    store: BoxStore, work: RecordingWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box(tmp_path / "large.box", {**sound(), "more": bytes(3 << 20)})
    monkeypatch.setenv("BOXWRIGHT_BOX_LIMIT", "2MiB")
    with pytest.raises(HostileArchive, match="too large"):
        await added(store, work, path)
    monkeypatch.setenv("BOXWRIGHT_BOX_LIMIT", "lots")
    with pytest.raises(BoxwrightError, match="BOXWRIGHT_BOX_LIMIT"):
        await added(store, work, path)
    monkeypatch.setenv("BOXWRIGHT_BOX_LIMIT", "8MiB")
    await added(store, work, path)


def unpacked(data: bytes, limits: Limits | None = None) -> dict[str, int]:
    """Unpack in a folder of its own: the sizes of the files by name."""
    limits = limits or Limits()
    with tempfile.TemporaryDirectory() as folder:
        staging = Staging(Path(folder) / "staging")
        staging.make()
        path = Path(folder) / "archive"
        path.write_bytes(data)
        source = LocalFile(path)
        try:
            unpack(
                source,
                staging,
                guard=BoxGuard(staging, limits),
                limits=limits,
                archive_hash=ArchiveHash(),
                advance=lambda count: None,
                stop=Stop(),
            )
            describe(staging, ("libvirt",), limits, explicit=False)
            return {file.path: file.size for file in staging.all_files()}
        finally:
            source.close()
            staging.close()


@pytest.mark.parametrize("compression", ["tar.gz", "tar.xz", "tar.zst", "tar.bz2"])
def test_a_bomb_takes_no_memory(compression: str) -> None:
    """A header that is said to be 1 GiB of long name, compressed to next to nothing."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    data = COMPRESSIONS[compression](info.tobuf(tarfile.GNU_FORMAT) + bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(HostileArchive, match="header that is far too large"):
            unpacked(data)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_more_entries_than_any_box_has() -> None:
    data = tar([*sound().items(), *((f"{number}", b"") for number in range(50))])
    with pytest.raises(HostileArchive, match="too many entries"):
        unpacked(data, Limits(entries=40))


def test_an_archive_that_goes_on_after_its_end() -> None:
    with pytest.raises(HostileArchive, match="goes on after its end"):
        unpacked(gzip.compress(tar(sound()) + bytes(3 << 20)), Limits(trailing=1 << 20))
    assert "box.img" in unpacked(gzip.compress(tar(sound()) + bytes(500_000)))


def test_several_compressed_members_are_one_stream() -> None:
    data = tar(sound(filler=BIG))
    for compress in COMPRESSIONS.values():
        parts = [compress(data[at : at + 100_000]) for at in range(0, len(data), 100_000)]
        assert set(unpacked(b"".join(parts))) == {"metadata.json", "box.img"}


def test_a_sparse_map_that_lies() -> None:
    info = tarfile.TarInfo("box.img")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    for offset, length, at in ((0, 512, 386), (100, 512, 410)):
        header[at : at + 24] = b"%011o\0%011o\0" % (offset, length)
    header[483:495] = b"%011o\0" % (1 << 20)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(HostileArchive, match="map of the sparse file"):
        unpacked(tar({"metadata.json": metadata()})[:1024] + bytes(header) + bytes(4096))


def test_a_zip_that_lies_about_sizes() -> None:
    data = bytearray(zipped({"metadata.json": metadata(), "box.img": qcow2(filler=bytes(5000))}))
    for magic, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.rindex(magic) + at
        data[place : place + 4] = struct.pack("<I", 1)
    with pytest.raises((HostileArchive, DamagedArchive)):
        unpacked(bytes(data))


def test_a_zip_with_a_link_out_of_the_box() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("box.img")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "../../etc/shadow")
        archive.writestr("metadata.json", metadata())
    with pytest.raises(HostileArchive, match="leaves the box"):
        unpacked(buffer.getvalue())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "none of tar"),
        (b"hello", "none of tar"),
        (os.urandom(2000), "none of tar"),
        (b"<!DOCTYPE html><html>" + b"x" * 600, "web page"),
    ],
)
def test_what_is_no_archive(data: bytes, why: str) -> None:
    with pytest.raises(DamagedArchive, match="not a box") as caught:
        unpacked(data)
    assert why in caught.value.problem.why


def only_errors_for_people(data: bytes) -> None:
    try:
        unpacked(data, Limits(unpacked=1 << 26))
    except BoxwrightError as error:
        assert error.problem.what and not error.problem.what.startswith("<")


SMALL = {kind: compress(tar(sound())) for kind, compress in COMPRESSIONS.items()}
SMALL["zip"] = zipped({"metadata.json": metadata(), "box.img": qcow2()})


@given(st.sampled_from(sorted(SMALL)), st.data())
def test_flipped_bytes_never_raise_anything_else(kind: str, data: st.DataObject) -> None:
    broken = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    only_errors_for_people(bytes(broken))


@given(st.sampled_from(sorted(SMALL)), st.binary(max_size=700))
def test_garbage_never_raises_anything_else(kind: str, garbage: bytes) -> None:
    only_errors_for_people(SMALL[kind][:6] + garbage)
    only_errors_for_people(garbage)


@given(st.binary(min_size=1, max_size=512), st.sampled_from(list(b"0127xgLKSVNDM56")))
@example(b"\xff" * 124, ord("S"))
def test_headers_of_tar_full_of_garbage(garbage: bytes, kind: int) -> None:
    """With a right checksum, so that everything behind it is looked at."""
    block = bytearray(garbage.ljust(512, b"\0"))
    block[156] = kind
    block[257:263] = b"ustar\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    only_errors_for_people(
        tar({"metadata.json": metadata()})[:1024] + bytes(block) + garbage * 3 + bytes(1024)
    )

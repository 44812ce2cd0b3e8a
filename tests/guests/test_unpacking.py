"""Archives from a guest are hostile: nothing they say makes anything outside of the folder."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.guests.errors import TransferError
from core.guests.unpacking import unpack, write_sparse


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def packed(*members: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in members:
            info, data = entry if isinstance(entry, tuple) else (entry, b"")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    buffer.seek(0)
    return buffer


class Place:
    """A folder with something beside it that must stay as it is."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "here"
        self.folder.mkdir(parents=True)
        self.beside = base / "beside"
        self.beside.write_text("mine")

    def unpack(self, archive: io.BytesIO) -> tuple[str, ...]:
        return unpack(archive, self.folder, lambda count: None)

    def unharmed(self) -> bool:
        return {path.name for path in self.base.iterdir()} == {
            "beside",
            "here",
        } and self.beside.read_text() == "mine"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "base")


def test_files_folders_and_links_arrive_with_their_modes(place: Place) -> None:
    left_out = place.unpack(
        packed(
            member("./", tarfile.DIRTYPE, mode=0o750),
            member("./a/", tarfile.DIRTYPE, mode=0o700),
            (member("./a/file", mode=0o4751), b"x" * 100_000),
            member("./a/link", tarfile.SYMTYPE, "../b"),
            (member("./b", mode=0o600), b"b"),
            member("./hard", tarfile.LNKTYPE, "./b"),
        )
    )
    assert left_out == ()
    assert (place.folder / "a/file").read_bytes() == b"x" * 100_000
    assert (place.folder / "a/file").stat().st_mode & 0o7777 == 0o751, "no set-uid bit comes from a guest"
    assert (place.folder / "a/link").read_bytes() == b"b"
    assert (place.folder / "hard").samefile(place.folder / "b")
    assert place.folder.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    "name", ["/etc/x", "../beside", "a/../../beside", "./../beside", "a/b/../../../beside", ".."]
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])
def test_names_that_leave_the_folder_are_refused(place: Place, name: str, kind: bytes) -> None:
    with pytest.raises(TransferError, match="not safe"):
        place.unpack(packed(member(name, kind, "x")))
    assert place.unharmed()


def test_nothing_is_written_through_a_link(place: Place) -> None:
    place.unpack(
        packed(
            member("out", tarfile.SYMTYPE, ".."),
            (member("out/beside"), b"theirs"),
            member("file", tarfile.SYMTYPE, "../beside"),
            (member("file"), b"theirs"),
        )
    )
    assert place.unharmed()
    assert (place.folder / "out/beside").read_bytes() == b"theirs", "a folder took the link's place"


@pytest.mark.parametrize(
    ("links", "kept"),
    [
        ({"a": "/etc/passwd"}, set()),
        ({"a": "../beside"}, set()),
        ({"a": "b", "b": "a"}, set()),
        ({"d/up": "..", "a": "d/up/../beside"}, {"d/up"}),
        ({"a": "b/x", "b": ".."}, set()),
        ({"a": "nowhere/else"}, {"a"}),
        ({"a": "."}, {"a"}),
    ],
)
def test_links_that_lead_out_are_left_out_and_named(
    place: Place, links: dict[str, str], kept: set[str]
) -> None:
    left_out = place.unpack(packed(*(member(name, tarfile.SYMTYPE, to) for name, to in links.items())))
    assert set(left_out) == set(links) - kept
    assert {name for name in links if (place.folder / name).is_symlink()} == kept
    assert place.unharmed()


def test_hard_links_reach_only_what_was_unpacked(place: Place) -> None:
    with pytest.raises(TransferError, match="not safe"):
        place.unpack(packed(member("x", tarfile.LNKTYPE, "../beside")))
    assert place.unpack(packed(member("y", tarfile.LNKTYPE, "absent"))) == ("y",)


def test_devices_and_pipes_are_left_out(place: Place) -> None:
    kinds = {"char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "pipe": tarfile.FIFOTYPE}
    assert set(place.unpack(packed(*(member(name, kind) for name, kind in kinds.items())))) == set(kinds)
    assert list(place.folder.iterdir()) == []


def test_a_folder_is_not_replaced_by_a_file(place: Place) -> None:
    with pytest.raises(TransferError, match="not safe"):
        place.unpack(packed((member("a/b"), b"1"), (member("a"), b"2")))


def test_headers_that_would_fill_the_memory_are_refused(place: Place) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        info = member("x", kind)
        info.size = 2**33
        header = info.tobuf(tarfile.GNU_FORMAT)
        with pytest.raises(TransferError):
            place.unpack(io.BytesIO(header + bytes(1024)))


def test_an_archive_that_is_cut_in_a_file_is_damaged(place: Place) -> None:
    whole = packed((member("a"), b"x" * 5000)).getvalue()
    with pytest.raises(TransferError, match="damaged"):
        place.unpack(io.BytesIO(whole[:3000]))


@settings(max_examples=150)
@given(st.binary(max_size=3000))
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    place = Place(tmp_path_factory.mktemp("any") / "base")
    with contextlib.suppress(TransferError):
        place.unpack(io.BytesIO(data))
    assert place.unharmed()


PARTS = st.sampled_from(["..", ".", "a", "b", "here", "beside", ""])
PATHS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
MEMBERS = st.lists(st.tuples(PATHS, KINDS, PATHS), max_size=8)


@settings(max_examples=300)
@given(MEMBERS)
def test_no_combination_of_members_leaves_the_folder(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, bytes, str]]
) -> None:
    place = Place(tmp_path_factory.mktemp("members") / "base")
    with contextlib.suppress(TransferError):
        place.unpack(packed(*(member(name, kind, link) for name, kind, link in members)))
    assert place.unharmed()
    top = place.folder.resolve()
    for root, folders, files in os.walk(place.folder):
        for name in (*folders, *files):
            assert Path(root, name).resolve().is_relative_to(top)


@pytest.mark.parametrize("piece", [1000, 4096, 65536, 262_144])
def test_zeros_are_holes_in_whatever_pieces_they_come(tmp_path: Path, piece: int) -> None:
    content = bytes(10_000_000) + b"data" + bytes(10_000_000)
    with (tmp_path / "file").open("xb", buffering=0) as file:
        for start in range(0, len(content), piece):
            write_sparse(file, content[start : start + piece])
        file.truncate(len(content))
    assert (tmp_path / "file").read_bytes() == content
    assert (tmp_path / "file").stat().st_blocks * 512 < 1_000_000

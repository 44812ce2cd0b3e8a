"""The boot sector and the raw image, byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.builds.disk import MIN_SIZE, OFFSET, SECTOR, boot_sector, make_raw
from core.errors import BoxwrightError

CODE = bytes(range(1, 256)) * 3


@given(sectors=st.integers(min_value=MIN_SIZE // SECTOR, max_value=2**36), name=st.text())
def test_a_boot_sector_holds_the_code_and_one_partition_that_ends_on_the_disk(
    sectors: int, name: str
) -> None:
    sector = boot_sector(CODE, sectors, name)

    assert len(sector) == SECTOR
    assert sector[:440] == CODE[:440]
    assert sector[510:] == b"\x55\xaa"
    active, kind, start, length = struct.unpack("<B3xB3xII", sector[446:462])
    assert (active, kind, start) == (0x80, 0x83, OFFSET // SECTOR)
    assert length > 0 and start + length <= max(sectors, 2**32 - 1 + start)
    assert length == sectors - start or length == 2**32 - 1, "the whole disk, or as much as a table can say"
    assert sector[462:510] == bytes(48), "no other partition"


def test_a_raw_image_is_a_private_sparse_file_of_zeros(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"

    make_raw(path, MIN_SIZE + 100)

    assert path.stat().st_size == MIN_SIZE
    assert path.stat().st_blocks * 512 < 100_000
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_disk_that_is_too_small_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(BoxwrightError, match="too small") as caught:
        make_raw(tmp_path / "disk.raw", MIN_SIZE - 1)

    assert "size" in caught.value.problem.remedy
    assert list(tmp_path.iterdir()) == []


def test_an_image_never_replaces_a_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    path.write_text("precious")

    with pytest.raises(FileExistsError):
        make_raw(path, MIN_SIZE)

    assert path.read_text() == "precious"

"""A disk image that boots: partition table and GRUB, written without root, mounts or loop devices.

The first MiB holds the boot sector (GRUB's boot.img with our partition table in it) and, from the
second sector on, GRUB's core image; the only partition follows.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

from core.builds.process import run_tool
from core.builds.tools import GRUB_MKIMAGE, GRUB_MODULES, QEMU_IMG, need
from core.errors import BoxwrightError
from core.model.work import Work

SECTOR = 512
OFFSET = 1024 * 1024
"""Bytes before the partition."""
MIN_SIZE = 64 * 1024 * 1024

_BOOT_CODE = 440
"""Bytes of the boot sector that are code; disk signature and partition table follow."""
_TABLE = 446
_LINUX = 0x83
_ACTIVE = 0x80
_CHS_BEYOND = b"\xfe\xff\xff"
"""The address in cylinders, heads and sectors that says "look at the sector numbers"."""

_MODULES = ("biosdisk", "part_msdos", "ext2", "linux", "echo", "serial", "terminal")
_MENU_MODULES = ("normal", "configfile", "search", "search_label", "search_fs_uuid", "test", "ls", "cat")


def make_raw(path: Path, size: int) -> None:
    """A new sparse file of ``size`` bytes, all zeros. Raises BoxwrightError where it is too small a disk."""
    if size < MIN_SIZE:
        raise BoxwrightError(
            f"A disk of {size} bytes is too small.", remedy='size = "4GiB" in the table of the bootstrap'
        )
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        os.truncate(descriptor, size - size % SECTOR)
    finally:
        os.close(descriptor)


def boot_sector(code: bytes, sectors: int, name: str) -> bytes:
    """The first 512 bytes of a disk of ``sectors`` sectors: ``code`` (GRUB's boot.img), a disk
    signature derived from ``name``, and one bootable Linux partition from the first MiB to the end."""
    start = OFFSET // SECTOR
    signature = hashlib.sha256(name.encode()).digest()[:4]
    length = min(sectors - start, 0xFFFFFFFF)
    entry = struct.pack("<B3sB3sII", _ACTIVE, _CHS_BEYOND, _LINUX, _CHS_BEYOND, start, length)
    return code[:_BOOT_CODE].ljust(_BOOT_CODE, b"\0") + signature + b"\0\0" + entry + b"\0" * 48 + b"\x55\xaa"


async def install_grub(disk: Path, config: str, *, menu: bool, folder: Path, work: Work) -> None:
    """Make the raw image ``disk`` boot by BIOS. ``config`` is run by GRUB at once; with ``menu`` GRUB's
    configuration files can be used from it. ``folder`` takes what is needed on the way."""
    early = folder / "grub-early.cfg"
    core = folder / "grub-core.img"
    early.write_text(config)
    modules = _MODULES + (_MENU_MODULES if menu else ())
    await run_tool(
        [
            need(GRUB_MKIMAGE),
            *("--directory", str(GRUB_MODULES)),
            *("--format", "i386-pc"),
            *("--prefix", "(,msdos1)/boot/grub"),
            *("--config", str(early)),
            *("--output", str(core)),
            *modules,
        ],
        work=work,
        doing="making the boot loader",
    )
    code = (GRUB_MODULES / "boot.img").read_bytes()
    image = core.read_bytes()
    if len(image) > OFFSET - SECTOR:
        raise BoxwrightError("The boot loader is larger than the room before the partition.")
    with disk.open("r+b") as file:
        sectors = os.fstat(file.fileno()).st_size // SECTOR
        file.write(boot_sector(code, sectors, disk.name))
        file.write(image)


async def convert(source: Path, target: Path, work: Work) -> None:
    """Make a compact qcow2 image of a raw one; zeros take no room in it."""
    await run_tool(
        [
            need(QEMU_IMG),
            "convert",
            *("-f", "raw"),
            *("-O", "qcow2"),
            *("-o", "lazy_refcounts=off"),
            str(source),
            str(target),
        ],
        work=work,
        doing="converting the image to qcow2",
    )

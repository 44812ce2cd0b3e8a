"""A system that only its firmware's variables can start: from a build on UEFI to a machine of its box."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.builds.disk import OFFSET, SECTOR
from tests.end_to_end.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.slow]

ESP = 8 << 20
"""Bytes of the partition that firmware reads."""

LOADER = """
linux (hd0,msdos1)/boot/vmlinuz console=ttyS0,115200n8 net.ifnames=0
initrd (hd0,msdos1)/boot/initrd
boot
"""

FIRST_BOOT = r"""
fs0:
rm -q \startup.nsh
bcfg boot addp 0 \EFI\tiny\grubx64.efi "The tiny system"
reset -s
"""
"""What the firmware's own shell does once, as an installer does: an entry for a place where firmware does not
look by itself."""

PROJECT = """
[machines.web]
box = { build = "efi" }
memory = "256MiB"
[builds.efi]
template = "efi.pkr.hcl"
"""

TEMPLATE = """
source "qemu" "efi" {{
  iso_url          = "{image}"
  iso_checksum     = "none"
  disk_image       = true
  skip_resize_disk = true
  machine_type     = "q35"
  memory           = 256
  efi_boot         = true
  communicator     = "none"
  net_device       = "rtl8139,romfile="
  shutdown_timeout = "3m"
}}
build {{
  sources = ["qemu.efi"]
}}
"""
"""The firmware knows no such network card, and so does not try for minutes to start from the network."""


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def write_disk(tiny: Path, folder: Path) -> Path:
    """The tiny system with a second partition, whose boot loader stands in a folder of its own."""
    disk, esp, loader = folder / "disk.img", folder / "esp.img", folder / "grubx64.efi"
    _run("qemu-img", "convert", "-O", "raw", tiny, disk)
    (folder / "grub.cfg").write_text(LOADER)
    (folder / "startup.nsh").write_text(FIRST_BOOT)
    modules = ("part_msdos", "ext2", "linux")
    _run("grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-c", folder / "grub.cfg", "-o", loader, *modules)
    with esp.open("wb") as file:
        file.truncate(ESP)
    _run("mformat", "-i", esp, "-T", str(ESP // SECTOR), "-h", "16", "-s", "32", "::")
    _run("mmd", "-i", esp, "::/EFI", "::/EFI/tiny")
    _run("mcopy", "-i", esp, loader, "::/EFI/tiny/grubx64.efi")
    _run("mcopy", "-i", esp, folder / "startup.nsh", "::/startup.nsh")
    place = -(-disk.stat().st_size // OFFSET) * OFFSET
    beyond = b"\xfe\xff\xff"
    with disk.open("r+b") as file:
        file.truncate(place + ESP)
        file.seek(446 + 16)
        file.write(struct.pack("<B3sB3sII", 0, beyond, 0xEF, beyond, place // SECTOR, ESP // SECTOR))
        file.seek(place)
        file.write(esp.read_bytes())
    return disk


@pytest.fixture
def workshop(folder: Path) -> Iterator[Workshop]:
    made = Workshop(folder)
    yield made
    made.close()


def test_a_machine_starts_by_the_variables_of_its_box(workshop: Workshop, tiny_image: Path) -> None:
    image = write_disk(tiny_image, workshop.folder)
    (workshop.project / "efi.pkr.hcl").write_text(TEMPLATE.format(image=image))
    workshop.describe(PROJECT)
    workshop.run("up", "web")
    said = workshop.run("ssh", "web", "-c", "ls /sys/firmware/efi; cat /proc/version")
    assert "fw_vendor" in said.out and "Linux" in said.out

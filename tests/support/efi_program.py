"""A program that UEFI firmware starts from a disk: it sets a variable that lasts, and powers off.

``SetVariable("Boxwright", ..., "made")`` and ``ResetSystem(EfiResetShutdown)``, by way of the system table's
runtime services: position-independent code of 109 bytes, in a PE image with one section.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

NAME = "Boxwright".encode("utf-16-le")
"""As it stands among the firmware's variables."""

_CODE = bytes.fromhex(
    """
    534883ec30488b5a58488d0d35000000488d154200000041b80300000041b904000000488d053f0000004889442420ff
    5358b90200000031d24531c04531c9ff5368f4ebfd42006f0078007700720069006700680074000000426f7877726967
    6874000000000000016d616465
    """
)
_ALIGNED = 0x200


def write_disk(path: Path) -> Path:
    """Make ``path`` a raw disk image with the program where firmware looks for one to boot."""
    with path.open("wb") as file:
        file.truncate(8 << 20)
    program = path.with_name("bootx64.efi")
    program.write_bytes(_image())
    for words in (
        ["mformat", "-i", str(path), "-T", str((8 << 20) // 512), "-h", "16", "-s", "32", "::"],
        ["mmd", "-i", str(path), "::/EFI", "::/EFI/BOOT"],
        ["mcopy", "-i", str(path), str(program), "::/EFI/BOOT/BOOTX64.EFI"],
    ):
        subprocess.run(words, check=True, capture_output=True)
    program.unlink()
    return path


def _image() -> bytes:
    """Headers of a PE32+ application in the first sector, the code in the second."""
    size = len(_CODE).to_bytes(4, "little")
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x0222)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        *(0x20B, 0, 0, _ALIGNED, 0, 0, 0x1000, 0x1000),
        *(0, 0x1000, _ALIGNED),
        *(0, 0, 0, 0, 0, 0, 0),
        *(0x2000, _ALIGNED, 0, 10, 0),
        *(0, 0, 0, 0, 0, 16),
    )
    section = (
        b".text\0\0\0" + size + struct.pack("<IIIIIHHI", 0x1000, _ALIGNED, _ALIGNED, 0, 0, 0, 0, 0x60000020)
    )
    headers = dos + coff + optional.ljust(240, b"\0") + section
    return headers.ljust(_ALIGNED, b"\0") + _CODE.ljust(_ALIGNED, b"\0")

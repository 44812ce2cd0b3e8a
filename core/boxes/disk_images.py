"""What a disk image is, read from its own header: nothing is believed that a box says of it.

A qcow2 image may name other files (a backing file, a data file) that the hypervisor would open
with the user's rights: such an image must never come out of a box.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import msgspec

from core.errors import BoxwrightError

_MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_FEATURES = struct.Struct(">QQQII")
_EXTENSION = struct.Struct(">II")

_CORRUPT = 1 << 1
_EXTERNAL_DATA = 1 << 2
_BACKING_FORMAT = 0xE2792ACA
_DATA_FILE = 0x44415441
_MOST_EXTENSIONS = 64
_LARGEST = 1 << 62
_VDI_MAGIC = b"\x7f\x10\xda\xbe"
_FOREIGN = {
    b"KDMV": "vmdk",
    b"# Disk DescriptorFile": "vmdk",
    b"vhdxfile": "vhdx",
    b"conectix": "vhd",
    b"QED\0": "qed",
}


class Image(msgspec.Struct, frozen=True):
    """A disk image: its format (``qcow2`` or ``raw``) and its virtual size in bytes."""

    format: str
    size: int


def inspect(path: Path, *, declared: str = "", called: str = "") -> Image:
    """Read the header of a disk image; ``declared`` is the format that it is said to have.

    ``called`` is the name for messages. Raises BoxwrightError for an image that names other files,
    is encrypted, marked as corrupt, of a format that QEMU boxes do not have, or not as declared.
    """
    name = called or path.name
    with path.open("rb") as file:
        start = file.read(512)
        found = _format(start)
        if declared in ("", "qcow2", "raw") and found in ("qcow2", "raw"):
            if declared and declared != found:
                raise BoxwrightError(
                    f"The disk {name} is {found}, not {declared}.",
                    why="The box's metadata.json says otherwise; one of the two is wrong.",
                    remedy="ask whoever made the box for a mended one",
                )
            if found == "qcow2":
                return Image("qcow2", _qcow2_size(file, name))
            return Image("raw", path.stat().st_size)
    shown = declared if declared not in ("", "qcow2", "raw") else found
    raise BoxwrightError(
        f"The disk {name} has the format {shown}, which boxes for QEMU cannot have.",
        why="They hold qcow2 or raw images.",
        remedy=f"qemu-img convert -O qcow2 {name} box.img",
    )


def _format(start: bytes) -> str:
    if start.startswith(_MAGIC):
        return "qcow2"
    if start[64:68] == _VDI_MAGIC:
        return "vdi"
    return next((kind for magic, kind in _FOREIGN.items() if start.startswith(magic)), "raw")


def _qcow2_size(file: BinaryIO, name: str) -> int:
    """The virtual size, after a look at everything in the header that could be dangerous."""
    file.seek(0)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise _damaged(name, "the file ends within the header")
    _, version, backing, _, cluster_bits, size, encryption, *_ = _HEADER.unpack(header)
    if version not in (2, 3):
        raise _damaged(name, f"version {version} of qcow2 does not exist")
    if not 9 <= cluster_bits <= 22 or size > _LARGEST:
        raise _damaged(name, "sizes in its header are impossible")
    if backing:
        raise _refers(name, "a backing file")
    if encryption:
        raise BoxwrightError(
            f"The disk {name} is encrypted.",
            why="A machine could not read it.",
            remedy=f"qemu-img convert -O qcow2 {name} box.img",
        )
    length = _HEADER.size
    if version == 3:
        features = file.read(_FEATURES.size)
        if len(features) < _FEATURES.size:
            raise _damaged(name, "the file ends within the header")
        incompatible, _, _, _, length = _FEATURES.unpack(features)
        if incompatible & _EXTERNAL_DATA:
            raise _refers(name, "a data file")
        if incompatible & _CORRUPT:
            raise _damaged(name, "it is marked as corrupt")
        if length < _HEADER.size + _FEATURES.size:
            raise _damaged(name, "its header is too short")
    _check_extensions(file, length, name)
    return int(size)


def _check_extensions(file: BinaryIO, offset: int, name: str) -> None:
    for _ in range(_MOST_EXTENSIONS):
        file.seek(offset)
        head = file.read(_EXTENSION.size)
        if len(head) < _EXTENSION.size:
            return
        kind, length = _EXTENSION.unpack(head)
        if kind == 0:
            return
        if kind == _DATA_FILE:
            raise _refers(name, "a data file")
        if kind == _BACKING_FORMAT:
            raise _refers(name, "the format of a backing file")
        offset += _EXTENSION.size + (length + 7) // 8 * 8
    raise _damaged(name, "its header has too many extensions")


def _refers(name: str, what: str) -> BoxwrightError:
    return BoxwrightError(
        f"The disk {name} names {what}: it is refused.",
        why="Such an image makes the hypervisor open other files of this computer.",
        remedy=f"have it flattened by whoever made it: qemu-img convert -O qcow2 {name} box.img",
    )


def _damaged(name: str, why: str) -> BoxwrightError:
    return BoxwrightError(
        f"The disk {name} is damaged.",
        why=f"As for its qcow2 header: {why}.",
        remedy="get the box again, or ask whoever made it for a mended one",
    )

"""Small boxes for tests, sound and unsound."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zstandard

Content = bytes | tarfile.TarInfo


def qcow2(size: int = 1 << 20, *, filler: bytes = b"") -> bytes:
    """A qcow2 header of version 3 and whatever shall follow; enough for everyone who does not boot it."""
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 0, 0, 16, size, 0, 0, 0, 0, 0, 0, 0)
    return head + struct.pack(">QQQII", 0, 0, 0, 4, 104) + bytes(8) + filler


def metadata(**more: Any) -> bytes:
    return json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": 1, **more}).encode()


def sound(*, filler: bytes = b"content", **more: Any) -> dict[str, Content]:
    """The files of a box in libvirt's format 1."""
    return {"metadata.json": metadata(**more), "box.img": qcow2(filler=filler)}


def entry(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    """A tar entry that is no plain file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def tar(files: Mapping[str, Content] | list[tuple[str, Content]], format: int = tarfile.GNU_FORMAT) -> bytes:
    """An uncompressed tar of ``files``, in their order; a list may hold a name twice."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "tar": lambda data: data,
    "tar.gz": lambda data: gzip.compress(data, 1),
    "tar.xz": lzma.compress,
    "tar.zst": lambda data: zstandard.ZstdCompressor().compress(data),
    "tar.bz2": bz2.compress,
}


def box(path: Path, files: Mapping[str, Content] | list[tuple[str, Content]] | None = None) -> Path:
    """Write a tar.gz to ``path``."""
    path.write_bytes(gzip.compress(tar(sound() if files is None else files), 1))
    return path


def backed(*, data_file: bool = False, extension: bool = False) -> bytes:
    """A qcow2 image that names another file."""
    if data_file:
        return qcow2()[:72] + struct.pack(">Q", 4) + qcow2()[80:]
    if extension:
        return qcow2()[:104] + struct.pack(">II", 0x44415441, 16) + b"/etc/shadow".ljust(16, b"\0") + bytes(8)
    return qcow2()[:8] + struct.pack(">QI", 512, 11) + qcow2()[20:].ljust(492, b"\0") + b"/etc/shadow"

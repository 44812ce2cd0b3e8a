"""What is inside a box: Vagrant's formats for libvirt, ours that adds to them, and the others' names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from core.boxes import embedded
from core.boxes.built import PRIVATE_KEY
from core.boxes.contents import HostileArchive, safe_name, shown
from core.boxes.disk_images import Image, inspect
from core.boxes.limits import Limits
from core.boxes.manifest import StoredDisk
from core.boxes.staging import Staging, megabytes
from core.errors import BoxwrightError, ProviderError

METADATA = "metadata.json"
QEMU_KINDS = ("qemu", "libvirt")
"""Providers whose boxes hold disk images for QEMU."""

_GIB = 1 << 30
_SLACK = 256 << 20
"""An image file may be that much larger than the disk that it holds: tables and the like."""


class Provides(msgspec.Struct, frozen=True, kw_only=True):
    """What a box turned out to be."""

    provider: str
    architecture: str = ""
    disks: tuple[StoredDisk, ...] = ()
    user: str = "vagrant"
    firmware: str = "bios"
    fingerprint: str = ""
    identity: str = ""
    description: str = ""
    metadata: dict[str, Any] = {}


class _Disk(msgspec.Struct, frozen=True):
    path: str
    format: str | None = None
    name: str | None = None


class _Ours(msgspec.Struct, frozen=True):
    user: str = ""
    firmware: str = ""
    architecture: str = ""
    fingerprint: str = ""
    description: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    """``metadata.json``, as far as it is understood."""

    provider: str = ""
    format: str | None = None
    virtual_size: int | float | str | None = None
    architecture: str | None = None
    disks: tuple[_Disk, ...] | None = None
    boxwright: _Ours = _Ours()

    @property
    def declared(self) -> int:
        """Bytes of the virtual disk, which is given in GiB; 0 where nothing sensible is said."""
        try:
            size = float(self.virtual_size or 0)
        except (ValueError, OverflowError):
            return 0
        return int(size * _GIB) if 0 < size < 1 << 40 else 0


class BoxGuard:
    """Compares sizes with the declared ones while a box is unpacked, as soon as they are known."""

    def __init__(self, staging: Staging, limits: Limits) -> None:
        self._staging = staging
        self._limits = limits
        self._declared = 0

    def before(self, name: str, size: int) -> None:
        if name == METADATA and size > self._limits.metadata:
            raise HostileArchive(
                f"{METADATA} is far too large: {megabytes(size)}.", why="A sensible one is a few lines."
            )
        if name == "box.img" and self._declared:
            check_declared(name, size, self._declared)

    def after(self, name: str) -> None:
        if name == METADATA:
            self._declared = _read_metadata(self._staging, self._limits)[0].declared


def check_declared(name: str, size: int, declared: int) -> None:
    """Raise HostileArchive for an image that is far larger than the box says that its disk is."""
    if size > declared + declared // 8 + _SLACK:
        raise HostileArchive(
            f"The disk {name} is far larger than the box declares.",
            why=f"It has {megabytes(size)}, and virtual_size says {megabytes(declared)}.",
        )


def describe(staging: Staging, wanted: Sequence[str], limits: Limits, *, explicit: bool) -> Provides:
    """Find out what the unpacked files are.

    ``wanted`` are the acceptable providers; ``explicit`` says that the user named them, and then boxes
    that nothing here can run are taken as they are. Raises ProviderError for a box for another
    provider, HostileArchive and BoxwrightError for what cannot be a box.
    """
    metadata, plain = _read_metadata(staging, limits)
    provider = metadata.provider.strip()
    if not provider:
        raise _unusable(f"{METADATA} names no provider.", "Each box is made for one provider.")
    if wanted and provider not in wanted:
        raise ProviderError(
            f"This box is for {provider[:60]!r}, not for {' or '.join(wanted)}.",
            why="A box holds the disks and settings of one kind of hypervisor."
            if explicit
            else f"Machines of {provider[:60]!r} cannot be run here.",
            remedy="look for the same box with the provider 'libvirt', which QEMU runs"
            if provider not in QEMU_KINDS
            else f"add it with --provider {provider}",
        )
    vagrantfile = embedded.read(_text(staging, "Vagrantfile", limits))
    ours = metadata.boxwright
    firmware = ours.firmware if ours.firmware in ("bios", "uefi") else "uefi" if vagrantfile.uefi else "bios"
    return Provides(
        provider=provider,
        architecture=ours.architecture or metadata.architecture or "",
        disks=_disks(staging, metadata) if provider in QEMU_KINDS else (),
        user=ours.user or vagrantfile.user or "vagrant",
        firmware=firmware,
        fingerprint=ours.fingerprint,
        identity=_identity(staging, vagrantfile.private_key),
        description=ours.description or _info(staging, limits),
        metadata=plain,
    )


def _read_metadata(staging: Staging, limits: Limits) -> tuple[_Metadata, dict[str, Any]]:
    if METADATA not in _names(staging):
        if any(name.lower().endswith(".ovf") for name in _names(staging)):
            # An OVA, which VirtualBox and others export: it is what a box of VirtualBox's has inside.
            return _Metadata(provider="virtualbox"), {"provider": "virtualbox"}
        raise _unusable(
            f"The box has no {METADATA}.",
            "Every box says there which provider it is for; without it this is an archive of something "
            "else, or a box for a Vagrant older than 1.1.",
        )
    data = _read(staging, METADATA, limits)
    try:
        plain = msgspec.json.decode(data)
        return msgspec.convert(plain, _Metadata), dict(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(f"The box's {METADATA} cannot be understood.", f"{error}") from error


def _disks(staging: Staging, metadata: _Metadata) -> tuple[StoredDisk, ...]:
    only = _Disk(path="box.img", format=metadata.format)
    wanted = (only,) if metadata.disks is None else metadata.disks
    if not wanted:
        raise _unusable(f"The box has no disk: 'disks' in {METADATA} is empty.", "A machine needs one.")
    disks: list[StoredDisk] = []
    for disk in wanted:
        path = safe_name(disk.path)
        if path not in _names(staging):
            raise _unusable(f"The box lacks its disk {shown(path)}.", f"{METADATA} names it.")
        if any(path == other.path for other in disks):
            raise _unusable(f"The disk {shown(path)} is named twice in {METADATA}.", "Each disk is one file.")
        image = inspect(staging.path(path), declared=disk.format or "", called=shown(path))
        if metadata.disks is None and metadata.declared:
            _check_virtual_size(staging, path, image, metadata.declared)
        disks.append(StoredDisk(path=path, format=image.format, size=image.size, name=disk.name or ""))
    return tuple(disks)


def _check_virtual_size(staging: Staging, path: str, image: Image, declared: int) -> None:
    check_declared(path, staging.path(path).stat().st_size, declared)
    check_declared(path, image.size // 2, declared)


def _identity(staging: Staging, named: str) -> str:
    for name in (named, PRIVATE_KEY):
        if name and name in _names(staging):
            return name
    return ""


def _info(staging: Staging, limits: Limits) -> str:
    """The description in ``info.json``, which is a matter of taste and may be anything."""
    try:
        info = msgspec.json.decode(_read(staging, "info.json", limits))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BoxwrightError):
        return ""
    text = info.get("description") if isinstance(info, dict) else None
    return text[:2000] if isinstance(text, str) else ""


def _text(staging: Staging, name: str, limits: Limits) -> str:
    if name not in _names(staging):
        return ""
    return _read(staging, name, limits).decode("utf-8", "replace")


def _read(staging: Staging, name: str, limits: Limits) -> bytes:
    if name not in _names(staging):
        raise _unusable(f"The box has no {name}.", "")
    with staging.path(name).open("rb") as file:
        data = file.read(limits.metadata + 1)
    if len(data) > limits.metadata:
        raise HostileArchive(f"{name} is far too large.", why="A sensible one is a few lines.")
    return data


def _names(staging: Staging) -> set[str]:
    return staging.files.keys() | staging.aliases.keys()


def _unusable(what: str, why: str) -> BoxwrightError:
    return BoxwrightError(what, why=why, remedy="get the box again, or ask whoever made it for a mended one")


def name_from(source: str) -> str:
    """A box's name from its file name: ``/some/tiny.box`` gives ``tiny``."""
    stem = PurePosixPath(source.split("?")[0].rstrip("/")).name
    for suffix in (".box", ".ova", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2", ".tar", ".zip"):
        stem = stem.removesuffix(suffix)
    return stem

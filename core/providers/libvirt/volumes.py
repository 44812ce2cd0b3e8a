"""Volumes in storage pools, as calls that block: each function takes a connection's handle.

A box's volumes are called as vagrant-libvirt calls them, so that both share one copy.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import msgspec

from core.errors import ProviderError
from core.providers.libvirt.element import add, text
from core.providers.libvirt.library import bindings

_BLOCK = 1 << 20


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made."""

    pool: str
    name: str
    format: str = "qcow2"
    capacity: int
    """Bytes that the guest sees."""
    backing: str = ""
    """Path of the volume that this one is a linked clone of."""
    backing_format: str = ""
    owner: str = ""
    """Numbers of user and group, ``1000:1000``; "" for what libvirt does by itself."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """An image of this computer's that becomes a volume."""

    source: Path
    volume: Volume
    told: Callable[[int], None]
    """Called with the bytes that were sent so far."""
    stop: threading.Event
    """Set when nobody wants it any more."""


def box_volume_name(box: str, version: str, disk: str, image: Path) -> str:
    """As vagrant-libvirt calls it; ``disk``: the image's name within the box, without its ending."""
    if version in ("", "0"):
        version = f"0_{int(image.stat().st_mtime)}"
    safe = disk.replace("/", "-SLASH-")
    return f"{box.replace('/', '-VAGRANTSLASH-')}_vagrant_box_image_{version}_{safe}.img"


def needed_pool(handle: Any, name: str, folder: str) -> bool:
    """Have the pool active; one that is not there is made in ``folder``. Returns whether it was made."""
    pool = _pool(handle, name)
    if pool is None:
        _make_pool(handle, name, folder)
        return True
    if not pool.isActive():
        pool.create()
    return False


def _pool(handle: Any, name: str) -> Any:
    """None where there is none of that name."""
    libvirt = bindings()
    try:
        return handle.storagePoolLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
            raise
        return None


def _make_pool(handle: Any, name: str, folder: str) -> None:
    if not folder:
        known = ", ".join(sorted(pool.name() for pool in handle.listAllStoragePools())) or "none"
        raise ProviderError(
            f"libvirt has no storage pool {name!r}.",
            why=f"Its pools: {known}.",
            remedy='storage_pool_path = "/a/folder" in the machine\'s libvirt table, and it is made there',
        )
    pool = Element("pool", type="dir")
    add(pool, "name", name)
    add(add(pool, "target"), "path", folder)
    made = handle.storagePoolDefineXML(text(pool))
    try:
        made.build()
        made.create()
    except bindings().libvirtError:
        made.undefine()
        raise


def drop_pool(handle: Any, name: str) -> bool:
    """Undefine a pool of ours, once nothing is in it. Whether it is gone."""
    libvirt = bindings()
    pool = _pool(handle, name)
    if pool is None:
        return True
    if pool.isActive():
        refresh(handle, name)
        if pool.numOfVolumes():
            return False
        pool.destroy()
    # Only an empty folder goes.
    with contextlib.suppress(libvirt.libvirtError):
        pool.delete()
    pool.undefine()
    return True


def path_of(handle: Any, pool: str, name: str) -> str:
    """Absolute path; "" where there is no such volume."""
    volume = _find(handle, pool, name)
    return volume.path() if volume else ""


def _find(handle: Any, pool: str, name: str) -> Any:
    libvirt = bindings()
    found = _pool(handle, pool)
    if found is None:
        return None
    try:
        return found.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_NO_STORAGE_VOL, libvirt.VIR_ERR_OPERATION_INVALID):
            raise
        return None


def download(handle: Any, pool: str, name: str, target: Path) -> int:
    """The bytes of a volume into a new file; returns how much the guest sees."""
    libvirt = bindings()
    volume = _find(handle, pool, name)
    if volume is None:
        raise ProviderError(f"The volume {name} is gone from the storage pool {pool}.")
    stream = handle.newStream(0)
    with target.open("xb") as file:
        volume.download(stream, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
        stream.sparseRecvAll(
            lambda _, data, __: file.write(data), lambda _, length, __: _skip(file, length), None
        )
        stream.finish()
    return int(volume.info()[1])


def _skip(file: BinaryIO, length: int) -> None:
    file.truncate(file.seek(length, os.SEEK_CUR))


def refresh(handle: Any, pool: str) -> None:
    """Let libvirt look what is in the pool's folder; busy pools refuse, and are up to date enough."""
    with contextlib.suppress(bindings().libvirtError):
        handle.storagePoolLookupByName(pool).refresh()


def make(handle: Any, volume: Volume) -> str:
    """Returns the new volume's path; raises where the name is taken."""
    element = Element("volume", type="file")
    add(element, "name", volume.name)
    add(element, "capacity", str(volume.capacity), unit="B")
    add(element, "allocation", "0")
    target = add(element, "target")
    add(target, "format", type=volume.format)
    if volume.owner:
        user, group = volume.owner.split(":")
        permissions = add(target, "permissions")
        # A box's volume is read by the machines of others, too.
        for tag, value in (("owner", user), ("group", group), ("mode", "0600" if volume.backing else "0644")):
            add(permissions, tag, value)
    if volume.backing:
        backing = add(element, "backingStore")
        add(backing, "path", volume.backing)
        add(backing, "format", type=volume.backing_format)
    pool = handle.storagePoolLookupByName(volume.pool)
    made: str = pool.createXML(text(element), 0).path()
    return made


def upload(handle: Any, order: Upload) -> str:
    """Make a volume of an image; all or nothing. Returns its path."""
    path = make(handle, order.volume)
    try:
        _send(handle, order)
    except BaseException:
        remove(handle, order.volume.pool, order.volume.name)
        raise
    return path


class _Stopped(Exception):
    """Nobody wants the upload any more."""


def _send(handle: Any, order: Upload) -> None:
    libvirt = bindings()
    volume = _find(handle, order.volume.pool, order.volume.name)
    stream = handle.newStream(0)
    with order.source.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        volume.upload(stream, 0, size, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
        try:
            for data, length in _sections(file.fileno(), size):
                if order.stop.is_set():
                    raise _Stopped
                if data:
                    _send_all(stream, data)
                else:
                    stream.sendHole(length)
                order.told(os.lseek(file.fileno(), 0, os.SEEK_CUR))
            stream.finish()
        except BaseException:
            with contextlib.suppress(libvirt.libvirtError):
                stream.abort()
            raise


def _send_all(stream: Any, data: bytes) -> None:
    while data:
        data = data[stream.send(data) :]


def _sections(descriptor: int, size: int) -> Iterator[tuple[bytes, int]]:
    """Blocks of data, and holes (b"" and their length)."""
    place = 0
    while place < size:
        try:
            begin = os.lseek(descriptor, place, os.SEEK_DATA)
        except OSError:
            begin = size
        if begin > place:
            os.lseek(descriptor, begin, os.SEEK_SET)
            yield b"", begin - place
            place = begin
            continue
        end = os.lseek(descriptor, place, os.SEEK_HOLE)
        os.lseek(descriptor, place, os.SEEK_SET)
        data = os.read(descriptor, min(_BLOCK, end - place))
        place += len(data)
        yield data, len(data)


def remove(handle: Any, pool: str, name: str) -> None:
    """One that is not there is no error."""
    libvirt = bindings()
    volume = _find(handle, pool, name)
    if volume is None:
        return
    try:
        volume.delete(0)
    except libvirt.libvirtError:
        # Somebody deleted the file itself: libvirt notices when it looks.
        refresh(handle, pool)
        if _find(handle, pool, name) is not None:
            raise


def is_used(handle: Any, path: str) -> bool:
    """Whether any volume is a linked clone of the one at ``path``, or any domain has it as a disk."""
    for pool in handle.listAllStoragePools():
        if pool.isActive():
            for volume in pool.listAllVolumes():
                if path in _backing(volume.XMLDesc(0)):
                    return True
    return any(path in _files(domain.XMLDesc(0)) for domain in handle.listAllDomains())


def _backing(xml: str) -> set[str]:
    return {found.text or "" for found in ElementTree.fromstring(xml).iterfind("backingStore/path")}


def _files(xml: str) -> set[str]:
    return {found.get("file", "") for found in ElementTree.fromstring(xml).iterfind("devices/disk/source")}


def names(handle: Any, pools: Iterable[str]) -> dict[str, set[str]]:
    """The volumes of each pool that is active."""
    libvirt = bindings()
    found: dict[str, set[str]] = {}
    for pool in pools:
        with contextlib.suppress(libvirt.libvirtError):
            found[pool] = set(handle.storagePoolLookupByName(pool).listVolumes())
    return found

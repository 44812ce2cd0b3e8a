"""Writing ``.box`` files: tar.gz archives that Vagrant's libvirt provider accepts too."""

from __future__ import annotations

import contextlib
import io
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from core.boxes.built import PRIVATE_KEY
from core.boxes.disk_images import Image, inspect
from core.boxes.formats import METADATA
from core.boxes.hashing import BLOCK
from core.boxes.staging import file_system_errors
from core.boxes.threads import Stop, in_thread
from core.errors import UsageError
from core.model.box import Box
from core.model.machine import Disk
from core.model.work import Work

_GIB = 1 << 30
_LEVEL = 1
"""Fast and only slightly larger: disks are large."""


async def write_box(
    target: Path,
    *,
    disks: Sequence[Disk],
    work: Work,
    user: str = "vagrant",
    identity: Path | None = None,
    firmware: str = "bios",
    architecture: str = "",
    fingerprint: str = "",
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    vagrantfile: str = "",
    include: Sequence[Path] = (),
    level: int = -1,
) -> None:
    """Pack ``disks`` (qcow2 or raw, without backing files) into the file ``target``.

    The box says that it is for libvirt, in format 1 with one disk and 2 with several, and has a table
    ``boxwright`` beside that. ``metadata`` adds further keys, ``vagrantfile`` a text behind the box's own,
    ``include`` further files. ``level`` of the compression: 0 to 9, -1 for a fast one. The file is
    written beside its place and renamed. Raises BoxwrightError for a disk that cannot be in a box.
    """
    if not disks:
        raise UsageError(f"{target.name} would have no disk.", why="A box needs at least one disk image.")
    images = [inspect(Path(disk.path), declared=disk.format) for disk in disks]
    names = ["box.img"] if len(disks) == 1 else [f"disk{number}.img" for number in range(1, len(disks) + 1)]
    ours = {
        "user": user,
        "firmware": firmware,
        "architecture": architecture,
        "fingerprint": fingerprint,
        "description": description,
    }
    head = {
        **(metadata or {}),
        "provider": "libvirt",
        **_disks(disks, images, names),
        "boxwright": {key: value for key, value in ours.items() if value},
    }
    small = {
        METADATA: msgspec.json.format(msgspec.json.encode(head), indent=2) + b"\n",
        "info.json": msgspec.json.encode({"description": description}),
        "Vagrantfile": (_vagrantfile(user, identity is not None, firmware) + vagrantfile).encode(),
    }
    large = {name: Path(disk.path) for name, disk in zip(names, disks, strict=True)}
    keys = {PRIVATE_KEY: identity} if identity else {}
    more = {path.name: path for path in include}
    await _pack(target, small, {**keys, **more, **large}, work, level)


async def write_image_box(
    target: Path,
    image: str,
    *,
    work: Work,
    vagrantfile: str = "",
    include: Sequence[Path] = (),
    level: int = -1,
) -> None:
    """Pack a box of Vagrant's Docker provider, which only names the image. Raises BoxwrightError."""
    quoted = image.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#")
    lines = [
        'Vagrant.configure("2") do |config|',
        "  config.vm.provider :docker do |docker|",
        f'    docker.image = "{quoted}"',
        "  end",
        "end",
        "",
    ]
    head = {"provider": "docker"}
    small = {
        METADATA: msgspec.json.format(msgspec.json.encode(head), indent=2) + b"\n",
        "Vagrantfile": ("\n".join(lines) + vagrantfile).encode(),
    }
    await _pack(target, small, {path.name: path for path in include}, work, level)


async def write_files_box(
    target: Path,
    files: Mapping[str, Path],
    *,
    provider: str,
    work: Work,
    user: str = "",
    architecture: str = "",
    vagrantfile: str = "",
    include: Sequence[Path] = (),
    level: int = -1,
) -> None:
    """Pack a box of a provider whose boxes are these ``files``, by their names in the box. Raises
    BoxwrightError."""
    ours = {"user": user, "architecture": architecture}
    head = {"provider": provider, "boxwright": {key: value for key, value in ours.items() if value}}
    small = {
        METADATA: msgspec.json.format(msgspec.json.encode(head), indent=2) + b"\n",
        "Vagrantfile": vagrantfile.encode(),
    }
    await _pack(target, small, {**{path.name: path for path in include}, **files}, work, level)


async def _pack(
    target: Path, small: Mapping[str, bytes], large: Mapping[str, Path], work: Work, level: int
) -> None:
    beside = target.with_name(f"{target.name}.part")
    intent = work.intend("path", path=str(beside))
    stop = Stop()
    with file_system_errors(target.parent):
        await in_thread(lambda: _write(beside, small, large, work, stop, level), stop)
        beside.replace(target)
    intent.settle()


async def export(box: Box, target: Path, work: Work) -> None:
    """Pack a box of the store again, as ``write_box`` does."""
    await write_box(
        target,
        disks=box.disks,
        work=work,
        user=box.user,
        identity=Path(box.identity) if box.identity else None,
        firmware=box.firmware,
        architecture=box.key.architecture,
        fingerprint=box.fingerprint,
        description=box.description,
    )


def _disks(disks: Sequence[Disk], images: Sequence[Image], names: Sequence[str]) -> dict[str, Any]:
    """The keys of libvirt's box format 1 (sizes in GiB, rounded up) or 2."""
    if len(disks) == 1:
        return {"format": images[0].format, "virtual_size": max(1, -(-images[0].size // _GIB))}
    return {
        "disks": [
            {"path": name, "format": image.format, **({"name": disk.name} if disk.name else {})}
            for name, image, disk in zip(names, images, disks, strict=True)
        ]
    }


def _vagrantfile(user: str, has_key: bool, firmware: str) -> str:
    """Plain assignments only, so that we read back what we wrote."""
    quoted = user.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#")
    lines = ['Vagrant.configure("2") do |config|', f'  config.ssh.username = "{quoted}"']
    if has_key:
        lines.append(f'  config.ssh.private_key_path = File.expand_path("../{PRIVATE_KEY}", __FILE__)')
    if firmware == "uefi":
        lines += [
            "  config.vm.provider :libvirt do |libvirt|",
            '    libvirt.loader = "/usr/share/OVMF/OVMF_CODE.fd"',
            "  end",
        ]
    return "\n".join([*lines, "end", ""])


def _write(
    target: Path,
    small: Mapping[str, bytes],
    large: Mapping[str, Path],
    work: Work,
    stop: Stop,
    level: int,
) -> None:
    """In a thread. What says how large things are comes first."""
    total = sum(path.stat().st_size for path in large.values())
    done = 0
    now = int(time.time())
    with contextlib.ExitStack() as exit_stack:
        raw = exit_stack.enter_context(target.open("wb"))
        packed = exit_stack.enter_context(_gzip(raw, level))
        tar = exit_stack.enter_context(
            cast(Any, tarfile).open(
                fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT, bufsize=BLOCK, copybufsize=BLOCK
            )
        )
        for name, data in small.items():
            tar.addfile(_info(name, len(data), now), io.BytesIO(data))
        for name, path in large.items():
            size = path.stat().st_size
            with path.open("rb", buffering=0) as file:
                reader = _Counted(file, stop, lambda count: work.progress(count, total, "bytes"), done)
                tar.addfile(_info(name, size, now), cast(IO[bytes], reader))
            done += size


def _info(name: str, size: int, now: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, now, 0o644
    return info


@contextlib.contextmanager
def _gzip(raw: IO[bytes], level: int) -> Iterator[IO[bytes]]:
    """Compress in another thread where isal is there, else with zlib; isal has no levels beyond 3."""
    try:
        if level >= 0:
            raise ImportError
        from isal import igzip_threaded
    except ImportError:
        import gzip

        with gzip.GzipFile(
            fileobj=raw, mode="wb", compresslevel=_LEVEL if level < 0 else level, mtime=0
        ) as plain:
            yield cast(IO[bytes], plain)
        return
    with cast(Any, igzip_threaded).open(raw, "wb", compresslevel=_LEVEL, threads=1) as packed:
        yield cast(IO[bytes], packed)


class _Counted:
    """A file whose reader can be stopped and is counted."""

    def __init__(self, file: Any, stop: Stop, advance: Any, done: int) -> None:
        self._file = file
        self._stop = stop
        self._advance = advance
        self._done = done

    def read(self, size: int) -> bytes:
        self._stop.check()
        data: bytes = self._file.read(size)
        self._done += len(data)
        self._advance(self._done)
        return data

"""The root file system of a running guest, without kernel: what containers are made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.work import Work

NAME = "rootfs.tar.zst"
"""What boxes for containers call it."""

_LEFT_OUT = "proc|sys|dev|run|tmp|boot|lost[+]found|vmlinuz.*|initrd.*"
_EMPTY = {"proc": 0o555, "sys": 0o555, "dev": 0o755, "run": 0o755, "tmp": 0o1777}
"""Which of these folders a system needs, with nothing in them."""
_COMMAND = f"cd / && sudo -n tar -cf - $(ls -A | grep -vxE '{_LEFT_OUT}')"


async def take_root(guest: Guest, folder: Path, work: Work) -> Path:
    """``rootfs.tar.zst`` in ``folder``. Raises BoxwrightError where the guest cannot give it."""
    plain = folder / "rootfs.tar"
    with plain.open("wb") as file:

        def keep(data: bytes) -> None:
            file.write(data)

        ran = await guest.run(_COMMAND, stdout=keep, stderr=work.write)
    if ran.status:
        raise BoxwrightError(f"The guest's file system could not be read (exit status {ran.status}).")
    packed = folder / NAME
    await asyncio.to_thread(_pack, plain, packed)
    plain.unlink()
    work.note(f"{packed.stat().st_size / 1e6:.0f} MB")
    return packed


def _pack(source: Path, target: Path) -> None:
    import tarfile

    import zstandard

    with tarfile.open(source, "a:") as archive:
        for name, mode in _EMPTY.items():
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            archive.addfile(folder)
    with source.open("rb") as read, target.open("wb") as write:
        zstandard.ZstdCompressor(level=3, threads=-1).copy_stream(read, write)

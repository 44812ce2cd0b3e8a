"""The root file system of a running guest, without kernel: what containers are made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.builds.root_archive import NAME, pack
from core.errors import BoxwrightError
from core.guests.base import Guest
from core.model.work import Work

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
    await asyncio.to_thread(_add_folders, plain)
    await asyncio.to_thread(pack, plain, packed)
    plain.unlink()
    work.note(f"{packed.stat().st_size / 1e6:.0f} MB")
    return packed


def _add_folders(archive: Path) -> None:
    import tarfile

    with tarfile.open(archive, "a:") as tar:
        for name, mode in _EMPTY.items():
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)

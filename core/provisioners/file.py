"""The file provisioner: a file or folder of the host, put into the guest."""

from __future__ import annotations

import hashlib
import stat
from functools import partial
from pathlib import Path
from typing import ClassVar

from core.errors import NotFoundError
from core.guests import archive
from core.guests.base import Guest
from core.guests.errors import TransferError
from core.model.project import Provision
from core.model.work import Work
from core.provisioners.base import ProvisionError


class FileProvisioner:
    kind: ClassVar[str] = "file"

    def check(self, provision: Provision, project_root: Path) -> None:
        path = _path(provision, project_root)
        if not path.exists():
            raise NotFoundError(
                f"There is no {path} to put into the guest.",
                remedy="correct 'file' of that provisioner in the project file",
            )

    def inputs(self, provision: Provision, project_root: Path) -> bytes:
        """Names, permissions and contents."""
        digest = hashlib.sha256()
        for entry in archive.entries(_path(provision, project_root)):
            kind = stat.S_IFMT(entry.status.st_mode)
            digest.update(f"{len(entry.name)}:{entry.name}:{entry.status.st_mode}:".encode(errors="replace"))
            if kind == stat.S_IFREG:
                with entry.path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            elif kind == stat.S_IFLNK:
                digest.update(hashlib.sha256(bytes(entry.path.readlink())).digest())
        return digest.digest()

    async def run(self, provision: Provision, guest: Guest, *, project_root: Path, work: Work) -> None:
        try:
            await guest.upload(
                _path(provision, project_root),
                provision.to,
                mode=int(provision.mode, 8) if provision.mode else None,
                owner_root=provision.privileged,
                transfer=partial(work.progress, unit="bytes"),
            )
        except TransferError as error:
            problem = error.problem
            raise ProvisionError(
                problem.what, why=problem.why, remedy=problem.remedy, tail=problem.tail
            ) from error


def _path(provision: Provision, project_root: Path) -> Path:
    return project_root / Path(provision.file or "").expanduser()

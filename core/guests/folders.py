"""Folders of the host that a guest gets a copy of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core.errors import NotFoundError
from core.guests.base import Guest
from core.guests.errors import TransferError
from core.guests.quoting import quote
from core.model.project import Folder
from core.model.work import Work

# The copy belongs to the account, also where only root may make the folder.
_PREPARE = """
target={target}
if mkdir -p "$target" 2>/dev/null && [ -w "$target" ]; then exit 0; fi
exec sudo -n sh -c 'mkdir -p "$1" && chown "$2" "$1"' sh "$target" "$(id -u):$(id -g)"
"""


async def copy_folders(
    guest: Guest, project_root: str | Path, folders: Sequence[Folder], *, work: Work
) -> None:
    """Copy each folder into the guest, one step each, with progress in bytes.

    Host paths are relative to ``project_root``. Files that are in the guest's folder already stay
    unless the copy has one of the same name. The folders belong to the account. Raises NotFoundError
    for a folder that the host does not have (before any is copied), and TransferError.
    """
    sources = [_source(Path(project_root), folder) for folder in folders]
    for folder, source in zip(folders, sources, strict=True):
        async with work.step(f"Folder {folder.host} → {folder.guest}") as step:
            await _prepare(guest, folder.guest)
            await guest.upload(
                source,
                folder.guest.rstrip("/") or "/",
                exclude=folder.exclude,
                transfer=partial(step.progress, unit="bytes"),
            )


def _source(root: Path, folder: Folder) -> Path:
    source = root / Path(folder.host).expanduser()
    if not source.is_dir():
        raise NotFoundError(
            f"There is no folder {source} on the host to copy to {folder.guest}.",
            remedy="correct 'host' of that folder in the project file, or make the folder",
        )
    return source


async def _prepare(guest: Guest, target: str) -> None:
    said = bytearray()
    ran = await guest.run(
        f"sh -c {quote(_PREPARE.format(target=quote(target)))}",
        stderr=lambda data: said.extend(data[:2000]),
        timeout=60,
    )
    if ran.status != 0:
        text = bytes(said).decode("utf-8", "replace").strip()
        raise TransferError(
            f"Could not make the folder {target} in the guest.",
            why=text.splitlines()[-1] if text else f"The command ended with {ran.status}.",
            remedy="choose a folder that the account may write, or give it passwordless sudo",
        )

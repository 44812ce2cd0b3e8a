"""The boxes of an existing Vagrant: ``~/.vagrant.d/boxes/NAME/VERSION/[ARCHITECTURE/]PROVIDER``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.boxes import architecture as architectures
from core.boxes.contents import Contents, HostileArchive, shown
from core.boxes.formats import METADATA, QEMU_KINDS, BoxGuard, describe
from core.boxes.hashing import BLOCK
from core.boxes.limits import Limits, limits
from core.boxes.manifest import Manifest
from core.boxes.staging import NoSpace, Staging, file_system_errors, is_full
from core.boxes.store import BoxStore
from core.boxes.threads import Stop, in_thread
from core.boxes.versions import Version
from core.errors import BoxwrightError, NotFoundError
from core.model.box import Box, BoxKey
from core.model.work import Work

_ENCODED = {"-VAGRANTSLASH-": "/", "-VAGRANTCOLON-": ":"}


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A box as Vagrant keeps it."""

    key: BoxKey
    folder: Path
    catalogue: str = ""


def installed(home: Path) -> list[Installed]:
    """All boxes in Vagrant's folder ``home``. Raises NotFoundError where there is none."""
    boxes = home / "boxes"
    if not boxes.is_dir():
        raise NotFoundError(
            f"There are no boxes of Vagrant in {home}.",
            why=f"{boxes} is not there.",
            remedy="name Vagrant's folder: boxwright box import FOLDER",
        )
    found: list[Installed] = []
    for box in _folders(boxes):
        name = box.name
        for encoded, plain in _ENCODED.items():
            name = name.replace(encoded, plain)
        try:
            catalogue = (box / "metadata_url").read_text(errors="replace").strip()
        except OSError:
            catalogue = ""
        for version in _folders(box):
            for architecture, folder in _providers(version):
                key = BoxKey(name, version.name, folder.name, architectures.canonical(architecture))
                found.append(Installed(key=key, folder=folder, catalogue=catalogue))
    return found


def _providers(version: Path) -> Iterator[tuple[str, Path]]:
    """The folders that hold files, with the architecture's level above them where there is one."""
    for folder in _folders(version):
        below = _folders(folder)
        if (folder / METADATA).exists() or not below:
            yield "", folder
        else:
            for provider in below:
                yield folder.name, provider


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.is_symlink())


async def import_boxes(store: BoxStore, folder: str, work: Work) -> dict[str, Any]:
    """Copy every box of Vagrant that QEMU can use; Vagrant keeps its own.

    Returns {"imported": [str(BoxKey)], "skipped": [{box, why}]}. Raises NotFoundError.
    """
    home = Path(folder).expanduser() if folder else Path.home() / ".vagrant.d"  # noqa: ASYNC240
    imported: list[str] = []
    skipped: list[dict[str, str]] = []
    bounds = limits()
    with file_system_errors(home):
        boxes = installed(home)
    for each in boxes:
        async with work.step(f"Import {each.key}") as step:
            why = _reason(store, each)
            if not why:
                try:
                    imported.append(str((await _import(store, each, bounds, step)).key))
                except NoSpace:
                    raise
                except BoxwrightError as error:
                    why = error.problem.what
            if why:
                step.skipped(why)
                skipped.append({"box": str(each.key), "why": why})
    return {"imported": imported, "skipped": skipped}


def _reason(store: BoxStore, each: Installed) -> str:
    """Why a box is not imported, as far as can be seen from outside."""
    if each.key.provider not in QEMU_KINDS:
        return f"it is for {each.key.provider}, whose machines cannot be run here"
    if store.records.path(each.key).exists():
        return "it is in the store already"
    try:
        Version(each.key.version)
    except BoxwrightError as error:
        return error.problem.what
    return ""


async def _import(store: BoxStore, each: Installed, bounds: Limits, step: Work) -> Box:
    stop = Stop()
    async with store.staging_folder(step) as staging:

        def bring() -> Box:
            _read_folder(each.folder, staging, bounds, step, stop)
            provides = describe(staging, QEMU_KINDS, bounds, explicit=False)
            record = Manifest(
                key=msgspec.structs.replace(each.key, provider=provides.provider),
                files=staging.all_files(),
                disks=provides.disks,
                added=time.time(),
                url=str(each.folder),
                catalogue=each.catalogue,
                description=provides.description,
                fingerprint=provides.fingerprint,
                firmware=provides.firmware,
                user=provides.user,
                identity=provides.identity,
                metadata=provides.metadata,
            )
            return store.publish(record, staging.contents(), replace=False)

        with file_system_errors(each.folder):
            return await in_thread(bring, stop)


def _read_folder(folder: Path, staging: Staging, bounds: Limits, step: Work, stop: Stop) -> None:
    """Copy the files of a box, metadata first, under the same rules as an archive's."""
    contents = Contents(staging, BoxGuard(staging, bounds), bounds)
    paths = sorted(_files(folder), key=lambda path: (path.name != METADATA, path))
    total = sum(path.lstat().st_size for path in paths)
    done = 0
    for path in paths:
        contents.count()
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            raise HostileArchive(f"{shown(name)} is no plain file.", why="A box consists of files.")
        with path.open("rb", buffering=0) as file, contents.sink(name, path.stat().st_size) as sink:
            try:
                while block := file.read(BLOCK):
                    stop.check()
                    sink.write(block)
                    done += len(block)
                    step.progress(done, total, "bytes")
                contents.finish(name, sink)
            except OSError as error:
                if is_full(error):
                    raise NoSpace(staging.folder.parent, total) from error
                raise


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path

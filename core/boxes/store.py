"""The store of boxes: contents by their SHA-256, and a small record (manifest) for each box.

::

    manifests/   one JSON file for each box, written beside its place and renamed into it
    retired/     records of boxes that were replaced while machines might still be linked to them
    blobs/       contents, read-only, named by their SHA-256; several boxes may need the same
    staging/     boxes that are being unpacked; see :mod:`core.boxes.staging`
    downloads/   archives that are being fetched, kept when a download is cut
    lock         held for the short moments in which blobs or manifests come or go

A box exists from the moment its manifest is renamed into place, and all blobs that it needs are
there before. What a process that died left behind is in no manifest, and ``sweep`` removes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core.boxes import architecture as architectures
from core.boxes import built, sweep
from core.boxes.locks import locked
from core.boxes.manifest import Manifest, blob_path
from core.boxes.records import Records
from core.boxes.staging import Staging
from core.boxes.sweep import Leftover
from core.boxes.versions import Constraint, Version
from core.errors import BoxwrightError, NotFoundError
from core.model.box import Box, BoxKey
from core.model.work import Work

Linked = Mapping[BoxKey, Sequence[str]]
"""The machines that are linked to each box."""

LEFTOVERS = "boxes.leftovers"
"""Kind of the intent that goes with a publication: undone by sweeping the store."""


class BoxStore:
    """The boxes in a folder. Methods may be called from any thread, and from several processes.

    ``async`` methods are for the event loop; they do their work in threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = Records(folder / "manifests", folder / "retired")
        self.blobs = folder / "blobs"
        self.staging = folder / "staging"
        self.downloads = folder / "downloads"
        for path in (self.records.current, self.records.retired, self.blobs, self.staging, self.downloads):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    # Reading

    def list(self) -> tuple[Box, ...]:
        """All boxes by name, the newest version first. Boxes whose record is damaged are left out:
        ``verify`` reports them."""
        boxes = [record.box(self.blobs) for record in self.records.all()[0]]
        boxes.sort(key=_newest_first, reverse=True)
        boxes.sort(key=lambda box: box.name)
        return tuple(boxes)

    def find(
        self, name: str, constraint: str = "", providers: Sequence[str] = (), architecture: str = ""
    ) -> Box | None:
        """The newest version of a box that satisfies ``constraint``, or None.

        Of a version that is there for several providers the one that stands first in ``providers``
        is taken; () accepts every provider. Raises UsageError for a wrong constraint.
        """
        wanted = Constraint(constraint)
        order = {provider: rank for rank, provider in reversed(list(enumerate(providers)))}
        boxes = [
            box
            for box in self.list()
            if box.name == name
            and (not providers or box.key.provider in order)
            and architectures.agree(box.key.architecture, architecture)
        ]
        boxes.sort(key=lambda box: (order.get(box.key.provider, 0), not box.key.architecture))
        newest = wanted.newest(boxes, lambda box: Version(box.version))
        return newest[0] if newest else None

    def find_build(self, fingerprint: str, providers: Sequence[str] = ()) -> Box | None:
        """The box that a build of this fingerprint made, the latest of several; for one of ``providers``
        where any are given."""
        made = [
            box
            for box in self.list()
            if fingerprint and box.fingerprint == fingerprint
            if not providers or box.key.provider in providers
        ]
        return max(made, key=lambda box: box.added, default=None)

    def get(self, key: BoxKey) -> Box | None:
        """Raises BoxwrightError where the record of the box is damaged."""
        found = self.records.of(key)
        return found.box(self.blobs) if found else None

    def check_names(self, names: Sequence[str]) -> None:
        """Raise NotFoundError for a name that no box has."""
        there = {record.key.name for record in self.records.all()[0]}
        for name in names:
            if name not in there:
                raise NotFoundError(
                    f"There is no box {name}.", remedy="boxwright box list says which there are"
                )

    # Publishing

    async def put_built(
        self,
        *,
        key: BoxKey,
        disks: Sequence[Path] = (),
        files: Mapping[str, Path] | None = None,
        fingerprint: str,
        work: Work,
        user: str = "vagrant",
        identity: Path | None = None,
        metadata: Mapping[str, Any] | None = None,
        description: str = "",
        firmware: str = "bios",
        linked: Linked | None = None,
    ) -> Box:
        """Make a box of what a build left: the disk images ``disks`` (qcow2 or raw, without backing
        files), other ``files`` by their names in the box (a container's file system, an appliance), and,
        where given, a private key. The files are moved into the store, without copying
        where it lies on the same file system. A box of the same key is replaced.

        Raises BoxwrightError for a disk that cannot be in a box.
        """
        return await built.put(
            self,
            Manifest(
                key=key,
                files=(),
                added=time.time(),
                fingerprint=fingerprint,
                user=user,
                metadata=dict(metadata or {}),
                description=description,
                firmware=firmware,
            ),
            disks=disks,
            files=files or {},
            private_key=identity,
            work=work,
            linked=linked,
        )

    def publish(
        self, record: Manifest, contents: Mapping[str, Path], *, replace: bool, linked: Linked | None = None
    ) -> Box:
        """Bring a box into being: ``contents`` says where the content of each of its files lies.

        The contents are linked into the store (or moved, where links are not possible). ``linked``
        says which machines use which box: with it, a replaced box that nobody uses goes at once;
        without, it is kept until ``prune``. Raises BoxwrightError where the key is
        taken, UsageError where its version is none.
        """
        Version(record.key.version)
        shared = {record.file(disk.path).blob for disk in record.disks}
        with locked(self.lock):
            if self.records.path(record.key).exists():
                if not replace:
                    raise already_there(record.key)
                self.records.retire(record.key)
            for file in {file.blob: file for file in record.files}.values():
                self._place(contents[file.path], file.blob, 0o444 if file.blob in shared else 0o400)
            self.records.write(record)
        if linked is not None and not linked.get(record.key):
            self.records.drop_retired(record.key)
            self.sweep()
        return record.box(self.blobs)

    def _place(self, source: Path, digest: str, mode: int) -> None:
        """Put content in its place. One that is there already is replaced: this one was just verified."""
        place = blob_path(self.blobs, digest)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        if place.exists():
            mode |= place.stat().st_mode & 0o444
        source.chmod(mode)
        beside = place.with_suffix(".new")
        beside.unlink(missing_ok=True)
        try:
            beside.hardlink_to(source)
        except OSError:
            source.replace(beside)
        beside.replace(place)
        beside.unlink(missing_ok=True)  # renaming one link of a file onto another keeps both

    # Removing

    def remove(self, key: BoxKey) -> int:
        """Remove a box, and earlier ones of the same key, whoever is linked to them. Returns bytes freed.

        Raises NotFoundError where there is none.
        """
        path = self.records.path(key)
        with locked(self.lock):
            if not path.exists():
                raise NotFoundError(
                    f"There is no box {key}.", remedy="boxwright box list says which there are"
                )
            path.unlink()
        self.records.drop_retired(key)
        return self.sweep()

    def leftovers(self) -> Sequence[Leftover]:
        """What no box needs: contents without a record and folders of processes that died."""
        return sweep.leftovers(self)

    def sweep(self) -> int:
        """Remove ``leftovers``; safe at any time, also beside others who add boxes. Returns bytes freed."""
        return sweep.sweep(self)

    @asynccontextmanager
    async def staging_folder(self, work: Work) -> AsyncIterator[Staging]:
        """A folder in which a box comes together; it is gone after the block.

        Intents are written down before it is made: they undo also a publication that was cut off.
        """
        staging = Staging(Staging.new_folder(self.staging))
        folder = work.intend("path", path=str(staging.folder))
        leftovers = work.intend(LEFTOVERS, store=str(self.folder))
        try:
            with locked(self.lock):
                staging.make()
            yield staging
        finally:
            await asyncio.shield(asyncio.to_thread(staging.close))
            folder.settle()
        leftovers.settle()


def already_there(key: BoxKey) -> BoxwrightError:
    return BoxwrightError(
        f"The box {key} is in the store already.",
        remedy="add it with --force to replace it",
    )


def _newest_first(box: Box) -> tuple[Version, str, str]:
    return Version(box.version), box.key.provider, box.key.architecture

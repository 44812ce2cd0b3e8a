"""The records (manifests) of a store: reading, writing and setting them aside."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from core.boxes import manifest
from core.boxes.manifest import Manifest
from core.errors import BoxwrightError
from core.model.box import BoxKey


class Records:
    """One JSON file for each box in ``current``, and in ``retired`` those of boxes that were replaced
    while machines might still be linked to them. What was read once is read again only when it changed."""

    def __init__(self, current: Path, retired: Path) -> None:
        self.current = current
        self.retired = retired
        self._seen: dict[Path, tuple[tuple[int, int, int], Manifest]] = {}

    def path(self, key: BoxKey) -> Path:
        return self.current / manifest.file_name(key)

    def of(self, key: BoxKey) -> Manifest | None:
        """The record of a box, None where there is none. Raises BoxwrightError where it is damaged."""
        return self._read(self.path(key))

    def all(self) -> tuple[list[Manifest], list[BoxwrightError]]:
        """Every record of a box that is there, and an error for every one that cannot be read."""
        return self._read_all(self.current)

    def all_retired(self) -> tuple[list[Manifest], list[BoxwrightError]]:
        return self._read_all(self.retired)

    def write(self, record: Manifest) -> None:
        """Written beside its place, flushed to the disk, renamed."""
        target = self.path(record.key)
        beside = target.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(manifest.encode(record))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def retire(self, key: BoxKey) -> None:
        """Keep a record that is about to be replaced: its contents stay for linked machines.

        A damaged one is not kept, as nobody could say what it needs."""
        path = self.path(key)
        try:
            self._read(path)
        except BoxwrightError:
            return
        (self.retired / f"{path.stem}-{time.time_ns():x}.json").hardlink_to(path)

    def drop_retired(self, key: BoxKey) -> None:
        """Forget replaced boxes of this key; their contents go with the next sweep."""
        for path in self.retired.glob(f"{self.path(key).stem}-*.json"):
            path.unlink(missing_ok=True)

    def unfinished(self) -> Sequence[Path]:
        """Records that somebody who died was writing."""
        return list(self.current.glob("*.new"))

    def _read_all(self, folder: Path) -> tuple[list[Manifest], list[BoxwrightError]]:
        good: list[Manifest] = []
        bad: list[BoxwrightError] = []
        for path in sorted(folder.glob("*.json")):
            try:
                found = self._read(path)
            except BoxwrightError as error:
                bad.append(error)
            else:
                good += [found] if found else []
        return good, bad

    def _read(self, path: Path) -> Manifest | None:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._seen.get(path)
            if known and known[0] == stamp:
                return known[1]
            read = manifest.decode(path.read_bytes(), path)
        except FileNotFoundError:
            self._seen.pop(path, None)
            return None
        self._seen[path] = (stamp, read)
        return read

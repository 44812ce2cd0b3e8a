"""Layers: states after build steps, kept so that a run with the same beginning continues from there.

::

    <key>.<random>/   one layer: layer.json, and what its source put there (disk, memory, ...)
    runs/             of each source of each template: what decided its steps when it last ran
    elsewhere/        what layers keep elsewhere, see core.builds.elsewhere
    results/          artifacts that a complete run left, by the key of all that went into it
    salt              keys the digests in all of these

A layer exists from the moment its folder has its name. Whoever uses one holds a shared lock on its file
``lock``; ``prune`` leaves those alone, and those on which others are built.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.builds import elsewhere
from core.builds.artifact import Artifact
from core.builds.layer_keys import LayerFacts

LIMIT = 20 * 1024**3
"""Bytes that all layers together may take; the least recently used go first."""
LIMIT_VARIABLE = "BOXWRIGHT_LAYERS_LIMIT"
_RECORD = "layer.json"


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer as it is listed."""

    id: str
    """The name of its folder."""
    source: str
    """Whose: the source's name as it is shown."""
    title: str
    """The step after which it was kept."""
    parent: str = ""
    """Id of the layer that it is built on, "" for none."""
    made: float
    used: float = 0.0
    size: int = 0
    """Bytes on the disk, and of what it keeps elsewhere."""


class Kept(msgspec.Struct, frozen=True):
    """A file of a result as it was left."""

    path: str
    size: int
    changed: int
    """Its time of change in nanoseconds."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The artifacts of a complete run."""

    artifacts: tuple[tuple[str, str, str, tuple[Kept, ...], dict[str, str]], ...]
    """Maker, id, text, files and facts of each."""


class LayerStore:
    """The layers in a folder. Methods may be called from any thread, and from several processes."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = folder
        self.limit = int(os.environ.get(LIMIT_VARIABLE, LIMIT)) if limit is None else limit
        for path in (folder, folder / "runs", folder / "results"):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._locks: dict[Path, int] = {}

    @property
    def salt(self) -> bytes:
        """Made at first use; digests of secrets are worthless without it."""
        path = self.folder / "salt"
        with contextlib.suppress(FileExistsError):
            beside = self.folder / f".salt-{secrets.token_hex(4)}"
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, secrets.token_bytes(32))
            os.close(descriptor)
            try:
                path.hardlink_to(beside)
            finally:
                beside.unlink()
        return path.read_bytes()

    # Layers

    def find(self, key: str) -> Path | None:
        """The layer of a key, locked against removal until ``release``."""
        for path in sorted(self.folder.glob(f"{key}.*")):
            if self._hold(path):
                os.utime(path / _RECORD)
                return path
        return None

    def place(self, key: str) -> Path:
        """Where a new layer of that key will be. Each is another place: who builds on one never finds
        somebody else's there."""
        return self.folder / f"{key}.{secrets.token_hex(4)}"

    def publish(self, folder: Path, place: Path, *, source: str, title: str, parent: Path | None) -> None:
        """Give a finished layer its place, locked until ``release``."""
        (folder / "lock").touch(mode=0o600)
        layer = Layer(
            id=place.name, source=source, title=title, parent=parent.name if parent else "", made=time.time()
        )
        (folder / _RECORD).write_bytes(msgspec.json.encode(layer))
        folder.rename(place)
        self._hold(place)

    def release(self) -> None:
        """Let go of all layers."""
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    def _hold(self, path: Path) -> bool:
        if path in self._locks:
            return True
        try:
            descriptor = os.open(path / "lock", os.O_RDONLY)
        except OSError:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not (path / _RECORD).exists():
            os.close(descriptor)
            return False
        self._locks[path] = descriptor
        return True

    def list(self) -> tuple[Layer, ...]:
        """All layers, the most recently used first."""
        found = []
        for record in self.folder.glob(f"*.*/{_RECORD}"):
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                layer = msgspec.json.decode(record.read_bytes(), type=Layer)
                size = sum(file.stat().st_blocks * 512 for file in record.parent.iterdir())
                beyond = elsewhere.of_layer(self.folder, layer.id)
                size += beyond.size if beyond else 0
                used = record.stat().st_mtime
                found.append(msgspec.structs.replace(layer, used=used, size=size))
        return tuple(sorted(found, key=lambda layer: layer.used, reverse=True))

    def prune(self, limit: int | None = None) -> tuple[Layer, ...]:
        """Remove the least recently used layers until all take at most ``limit`` bytes (0: all that
        nobody uses). Returns those that were removed."""
        limit = self.limit if limit is None else limit
        layers = list(self.list())
        total = sum(layer.size for layer in layers)
        removed: list[Layer] = []
        while total > limit:
            needed = {layer.parent for layer in layers}
            free = [layer for layer in reversed(layers) if layer.id not in needed]
            gone = next((layer for layer in free if self.remove(layer.id)), None)
            if gone is None:
                break
            layers.remove(gone)
            removed.append(gone)
            total -= gone.size
        return tuple(removed)

    def remove(self, layer: str) -> bool:
        """False where somebody uses it. What it keeps elsewhere is only marked, see ``undo.sweep``."""
        path = self.folder / layer
        if path in self._locks:
            return False
        try:
            descriptor = os.open(path / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            elsewhere.leave(self.folder, layer)
            # Without its record it is no layer any more, whatever happens to us now.
            (path / _RECORD).unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
            return True
        finally:
            os.close(descriptor)

    # Runs and results

    def last_run(self, name: str) -> tuple[LayerFacts, ...]:
        """What decided the steps of that source when it last ran, () where it never did."""
        try:
            return msgspec.json.decode(self._run(name).read_bytes(), type=tuple[LayerFacts, ...])
        except (OSError, msgspec.MsgspecError):
            return ()

    def remember_run(self, name: str, chain: Sequence[LayerFacts]) -> None:
        _write(self._run(name), msgspec.json.encode(tuple(chain)))

    def _run(self, name: str) -> Path:
        return self.folder / "runs" / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"

    def result(self, key: str) -> tuple[Artifact, ...] | None:
        """The artifacts that a run of that key left, None unless their files are as they were left."""
        try:
            found = msgspec.json.decode((self.folder / "results" / f"{key}.json").read_bytes(), type=Result)
        except (OSError, msgspec.MsgspecError):
            return None
        artifacts = []
        for maker, id, text, files, facts in found.artifacts:
            if any(_kept(Path(file.path)) != file for file in files):
                return None
            names = tuple(one.path for one in files)
            artifacts.append(Artifact(maker=maker, id=id, text=text, files=names, facts=facts))
        return tuple(artifacts)

    def remember_result(self, key: str, artifacts: Sequence[Artifact]) -> None:
        entries = []
        for one in artifacts:
            files = tuple(kept for file in one.files if (kept := _kept(Path(file))) is not None)
            entries.append((one.maker, one.id, one.text, files, one.facts))
        _write(self.folder / "results" / f"{key}.json", msgspec.json.encode(Result(artifacts=tuple(entries))))


def _kept(path: Path) -> Kept | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Kept(str(path), status.st_size, status.st_mtime_ns)


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    beside.write_bytes(data)
    beside.replace(path)

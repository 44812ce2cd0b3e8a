"""What layers, and builds that were left as they are, keep elsewhere than in files: images, containers.

::

    elsewhere/<layer>.json   of a layer: how it is removed, and its size
    elsewhere/<layer>.gone   the same, of a layer that is no more: still to be removed
    <build>/elsewhere.json   of a build that was left after an error
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

FOLDER = "elsewhere"
LEFT = "elsewhere.json"
_OPEN = ".json"
_GONE = ".gone"


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    """Of the intent by whose undo it is removed."""
    facts: dict[str, Any]
    size: int = 0
    """Bytes."""


def note(layers: Path, layer: str, one: Elsewhere) -> None:
    """Written before it exists, so that it is never without an owner."""
    folder = layers / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    write(folder / f"{layer}{_OPEN}", one)


def write(path: Path, one: Elsewhere) -> None:
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(msgspec.json.encode(one))
    beside.replace(path)


def read(path: Path) -> Elsewhere | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Elsewhere)
    except (OSError, msgspec.MsgspecError):
        return None


def of_layer(layers: Path, layer: str) -> Elsewhere | None:
    return read(layers / FOLDER / f"{layer}{_OPEN}")


def leave(layers: Path, layer: str) -> None:
    """The layer is about to be removed: what it keeps elsewhere has to go, too."""
    with contextlib.suppress(FileNotFoundError):
        path = layers / FOLDER / f"{layer}{_OPEN}"
        path.rename(path.with_suffix(_GONE))


def forget(layers: Path, layer: str) -> None:
    """Nothing of it is there any more."""
    for ending in (_OPEN, _GONE):
        (layers / FOLDER / f"{layer}{ending}").unlink(missing_ok=True)


def gone(layers: Path) -> list[tuple[str, Elsewhere]]:
    """Layers that are no more, with what is still to be removed of each."""
    found = []
    for path in (layers / FOLDER).glob(f"*{_GONE}"):
        one = read(path)
        if one is None:
            path.unlink(missing_ok=True)
        else:
            found.append((path.name.removesuffix(_GONE), one))
    return found

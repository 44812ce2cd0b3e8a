"""Small files of JSON that outlive the engine: replaced as a whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from core.errors import ProviderError

_Record = TypeVar("_Record", bound=msgspec.Struct)


def read_record(path: Path, kind: type[_Record]) -> _Record | None:
    """None where there is none; raises ProviderError for one that cannot be understood."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderError(
            "The machine's record is damaged.",
            why=f"{path}: {error}",
            remedy="boxwright destroy, then boxwright up",
        ) from error


def write_record(path: Path, record: msgspec.Struct) -> None:
    """Whoever reads sees the old or the new one, whole."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=1))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)

"""What is remembered of a machine between engines: a small file in the machine's folder."""

from __future__ import annotations

import os

import msgspec

from core.errors import ProviderError
from core.model.machine import Forward
from core.providers.lxd.layout import Layout
from core.providers.lxd.place import Place


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that lasts of a machine besides its instance."""

    id: str
    place: Place
    """The server that has the instance."""
    uuid: str = ""
    """The instance's own identity at the server: it outlives a new name, and a copy has another."""
    ports: tuple[Forward, ...] = ()
    """As they were when the machine last ran: the same are tried again."""
    facts: dict[str, str] = {}


def read(layout: Layout) -> Record | None:
    """The machine's record, None where there is none.

    Raises ProviderError for one that cannot be understood.
    """
    try:
        data = layout.record.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderError(
            "The machine's record is damaged.",
            why=f"{layout.record}: {error}",
            remedy="boxwright destroy, then boxwright up",
        ) from error


def write(layout: Layout, record: Record) -> None:
    """Replace the record: whoever reads sees the old or the new one, whole."""
    layout.home.mkdir(mode=0o700, exist_ok=True)
    beside = layout.record.with_name(layout.record.name + ".new")
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=1))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(layout.record)

"""What is remembered of a machine between engines: a small file in the machine's folder."""

from __future__ import annotations

import msgspec

from core.model.machine import Forward
from core.providers.lxd.layout import Layout
from core.providers.lxd.place import Place
from core.providers.records import read_record, write_record


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
    thawing: bool = False
    """A resumption has begun that has not been seen to its end."""


def read(layout: Layout) -> Record | None:
    """The machine's record, None where there is none.

    Raises ProviderError for one that cannot be understood.
    """
    return read_record(layout.record, Record)


def write(layout: Layout, record: Record) -> None:
    """Replace the record: whoever reads sees the old or the new one, whole."""
    layout.home.mkdir(mode=0o700, exist_ok=True)
    write_record(layout.record, record)

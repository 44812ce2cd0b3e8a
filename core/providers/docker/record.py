"""What is remembered of a container between engines: a small file in the machine's folder."""

from __future__ import annotations

from typing import Any

import msgspec

from core.model.machine import Forward
from core.providers.docker.layout import Layout
from core.providers.records import read_record, write_record


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that lasts of a machine besides its container and images."""

    id: str
    address: str
    """Of the daemon that has the container, see :class:`core.providers.docker.address.Address`."""
    container: str
    """The container's id, as Docker gave it."""
    name: str
    image: str
    """What the container was made from: the image's id."""
    shown: str
    """The image as people call it."""
    runs: dict[str, Any] = {}
    """What that image says about the program that is to run."""
    ports: tuple[Forward, ...] = ()
    definition: str = ""
    """Digest of what the container was made by."""
    used: bool = False
    """Whether it has run, so that there may be something in it that is not in its image."""
    current: str = ""
    """Tag of the snapshot that the container goes on from."""
    forgotten: dict[str, str] = {}
    """Tags of deleted snapshots, and of the one that each went on from."""
    volumes: dict[str, str] = {}
    """Volumes without a name in the project, by their place in the container: they are the machine's own."""
    networks: tuple[str, ...] = ()
    """Those that it is in and that go with the last of the project's machines."""


def read(layout: Layout) -> Record | None:
    """None where there is none. Raises ProviderError for one that cannot be understood."""
    return read_record(layout.record, Record)


def write(layout: Layout, record: Record) -> None:
    """Whoever reads sees the old or the new one, whole."""
    write_record(layout.record, record)

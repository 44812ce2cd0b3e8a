"""What other machines of this user have put down for themselves."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from core.model.machine import Forward, MachinePlan
from core.providers.ports import Taken
from core.providers.qemu.layout import Layout


class _Ports(msgspec.Struct):
    """The part of another machine's record that matters here."""

    ports: tuple[Forward, ...] = ()


def ports_of_others(plan: MachinePlan) -> Taken:
    """Ports that other machines, running or not, want to find free again."""
    found: set[tuple[str, int]] = set()
    folder = Path(plan.folder)
    with contextlib.suppress(OSError):
        for neighbour in folder.parent.iterdir():
            if neighbour == folder:
                continue
            with contextlib.suppress(OSError, msgspec.DecodeError):
                data = Layout(neighbour, neighbour).record.read_bytes()
                record = msgspec.json.decode(data, type=_Ports)
                found.update((forward.protocol, forward.host) for forward in record.ports)
    return found

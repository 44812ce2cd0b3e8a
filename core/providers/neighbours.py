"""What other machines of this user have put down for themselves."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from core.model.machine import Forward, MachinePlan
from core.providers.ports import Taken


class _Ports(msgspec.Struct):
    """The part of another machine's record that matters here."""

    ports: tuple[Forward, ...] = ()


def ports_of_others(plan: MachinePlan) -> Taken:
    """Ports that other machines, running or not, want to find free again.

    Every provider that forwards ports keeps a ``machine.json`` with them in its folder of the machine's.
    """
    found: set[tuple[str, int]] = set()
    folder = Path(plan.folder)
    with contextlib.suppress(OSError):
        for neighbour in folder.parent.iterdir():
            if neighbour == folder:
                continue
            for record in neighbour.glob("*/machine.json"):
                with contextlib.suppress(OSError, msgspec.DecodeError):
                    ports = msgspec.json.decode(record.read_bytes(), type=_Ports).ports
                    found.update((forward.protocol, forward.host) for forward in ports)
    return found

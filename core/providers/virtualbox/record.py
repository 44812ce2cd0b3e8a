"""What is remembered of a machine between engines: a small file in the machine's folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.model.machine import Forward, MachinePlan
from core.providers import images
from core.providers.base import Started
from core.providers.ports import LOOPBACK
from core.providers.virtualbox.layout import Layout


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that lasts of a machine besides what VirtualBox has."""

    id: str
    box: str
    """Name of the machine that stands for its box."""
    disks: tuple[tuple[str, ...], ...] = ()
    """For each disk: the path of its own file, then of those that it stands on."""
    extra: tuple[str, ...] = ()
    """Names of the extra disks that it has got."""
    ports: tuple[Forward, ...] = ()
    """As they were when the machine last ran: the same are tried again."""
    facts: dict[str, str] = {}


def started(record: Record) -> Started:
    """As ``start`` returned it."""
    ssh = next((forward for forward in record.ports if forward.name == "ssh"), None)
    ssh = ssh or next((forward for forward in record.ports if forward.guest == 22), None)
    return Started(
        ports=record.ports, ssh_host=LOOPBACK, ssh_port=ssh.host if ssh else 22, facts=record.facts
    )


def lost(plan: MachinePlan, record: Record) -> str:
    """Says which image is missing, and what to do; "" where all are there."""
    home = str(Layout.of(plan).home)
    for chain in record.disks:
        box = next((path for path in chain if not path.startswith(home)), "")
        for path in chain:
            if path.startswith(home) or not box:
                trouble = images.lost(Path(path), box, plan.key.name)
                if trouble:
                    return trouble
    return ""

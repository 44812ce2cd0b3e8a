"""A machine's settings as the worker applies them: pure, nothing is looked at or touched here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import UsageError
from core.model.machine import ExtraDisk, Forward, MachinePlan
from core.providers.ports import LOOPBACK
from core.providers.virtualbox.layout import Layout
from core.providers.virtualbox.options import Options
from core.providers.virtualbox.record import Record

_CARDS = {
    "virtio": "Virtio",
    "82540EM": "I82540EM",
    "82543GC": "I82543GC",
    "82545EM": "I82545EM",
}
"""VirtualBox's API has other words for these than VBoxManage, whose words people know."""

_SMALLEST = 4
"""Megabytes: VirtualBox has no smaller machines."""


def build(
    plan: MachinePlan,
    options: Options,
    record: Record,
    ports: Sequence[Forward],
    cards: Sequence[dict[str, str]],
) -> dict[str, Any]:
    layout = Layout.of(plan)
    return {
        "cpus": options.cpus or plan.cpus,
        "memory": options.memory or max(_SMALLEST, plan.memory >> 20),
        "firmware": plan.firmware,
        "serial": str(layout.serial_socket),
        "note": f"Machine {plan.key.name} of {plan.key.project}, kept by Boxwright.",
        "rules": [rule(forward) for forward in ports],
        "networks": list(cards),
        "card": _CARDS.get(options.default_nic_type, options.default_nic_type),
        "folders": shared_folders(plan, options),
        "disks": [
            {"path": str(extra_disk(layout, number)), "size": disk.size}
            for number, disk in enumerate(new_disks(plan, record), len(record.extra))
        ],
    }


def new_disks(plan: MachinePlan, record: Record) -> list[ExtraDisk]:
    """The extra disks that the plan has and the machine not yet."""
    return [disk for disk in plan.extra_disks if disk.name not in record.extra]


def extra_disk(layout: Layout, number: int) -> Path:
    return layout.home / f"extra{number}.vdi"


def rule(forward: Forward) -> dict[str, Any]:
    """A forwarding as VirtualBox's NAT has it. Commas would divide the rule, so names are made here."""
    return {
        "name": f"{forward.protocol}{forward.host}",
        "protocol": forward.protocol,
        "address": LOOPBACK,
        "host": forward.host,
        "guest": forward.guest,
    }


def shared_folders(plan: MachinePlan, options: Options) -> list[dict[str, Any]]:
    """Raises UsageError for a folder of the host that is not there."""
    found: list[dict[str, Any]] = []
    for number, folder in enumerate(options.shared_folders):
        path = Path(plan.key.project, folder.host).resolve()
        if not path.is_dir():
            raise UsageError(
                f"The shared folder {folder.host!r} of the machine {plan.key.name} is not there.",
                why=f"There is no folder {path}.",
                remedy="make it, or correct shared_folders in the machine's virtualbox table",
            )
        name = folder.name or folder.guest.strip("/").replace("/", "_") or f"folder{number}"
        if any(name == other["name"] for other in found):
            raise UsageError(f"Two shared folders of the machine {plan.key.name} are called {name!r}.")
        found.append({"name": name, "host": str(path), "guest": folder.guest, "writable": folder.writable})
    return found

"""What one machine has written on its disks, copied to another of the same box."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.providers.virtualbox.worker import snapshots
from core.providers.virtualbox.worker.api import Api, Steps

_MOMENT = "boxwright-copy"
"""The snapshot of a running machine that holds its disks still; it is deleted afterwards."""


def copy_disks(api: Api, source: str, uuid: str, folder: str, live: bool) -> Steps:
    """Each disk of ``uuid`` becomes one with the content of its counterpart, on the same box."""
    if not live:
        return (yield from _copy_all(api, source, uuid, folder, live))
    point = yield from snapshots.take(api, source, _MOMENT)
    try:
        return (yield from _copy_all(api, source, uuid, folder, live))
    finally:
        yield from snapshots.delete(api, source, point)


def _copy_all(api: Api, source: str, uuid: str, folder: str, live: bool) -> Steps:
    target = api.needed(uuid)
    for number, (place, attached) in enumerate(_disks(api, api.needed(source))):
        medium = attached.parent if live else attached
        copy = yield from _copy(api, medium, str(Path(folder, f"copy{number}.{medium.format.lower()}")))
        with api.held((yield from api.lock(target))) as changed:
            yield from _put(api, changed, place, copy)
        yield from api.unlocked(target)


def _disks(api: Api, machine: Any) -> Iterator[tuple[tuple[str, int, int], Any]]:
    for attached in api.array(machine, "mediumAttachments"):
        if attached.type == api.constants.DeviceType_HardDisk and attached.medium is not None:
            yield (attached.controller, attached.port, attached.device), attached.medium


def _copy(api: Api, medium: Any, path: str) -> Steps:
    """Of a disk that stands on a box's, what differs from that."""
    constants = api.constants
    kind, access = constants.DeviceType_HardDisk, constants.AccessMode_ReadWrite
    copy = api.box.createMedium(medium.format, path, access, kind)
    linked = medium.parent is not None
    variant = constants.MediumVariant_Diff if linked else constants.MediumVariant_Standard
    yield medium.cloneTo(copy, [variant], medium.base if linked else None)
    return copy


def _put(api: Api, machine: Any, place: tuple[str, int, int], disk: Any) -> Steps:
    """In the place of the one that is there."""
    old = None
    with contextlib.suppress(Exception):
        old = machine.getMedium(*place)
    if old is not None:
        machine.detachDevice(*place)
        machine.saveSettings()
        yield old.deleteStorage()
    machine.attachDevice(*place, api.constants.DeviceType_HardDisk, disk)
    machine.saveSettings()

"""Snapshots, by their UUIDs."""

from __future__ import annotations

from core.providers.virtualbox.worker.api import Api, Refused, Steps
from core.providers.virtualbox.worker.making import end


def take(api: Api, uuid: str, name: str) -> Steps:
    """Of the disks, and of the memory where the machine runs; returns the snapshot's UUID."""
    machine = api.needed(uuid)
    runs = api.state(machine.state) in ("Running", "Paused")
    with api.held((yield from api.lock(machine, shared=runs))) as changed:
        progress, made = changed.takeSnapshot(name, "", True)
        yield progress
    if not runs:
        yield from api.unlocked(machine)
    return made


def restore(api: Api, uuid: str, point: str) -> Steps:
    """The machine is switched off for it; with memory it is suspended afterwards, else stopped."""
    machine = api.needed(uuid)
    yield from end(api, machine)
    with api.held((yield from api.lock(machine))) as changed:
        yield changed.restoreSnapshot(machine.findSnapshot(point))
    yield from api.unlocked(machine)


def delete(api: Api, uuid: str, point: str) -> Steps:
    machine = api.needed(uuid)
    if not machine.snapshotCount:
        return
    found = machine.findSnapshot(point)
    if len(api.array(found, "children")) > 1:
        raise Refused("state", "VirtualBox cannot delete a snapshot that several others are made from.")
    runs = api.state(machine.state) in ("Running", "Paused")
    with api.held((yield from api.lock(machine, shared=runs))) as changed:
        yield changed.deleteSnapshot(point)
    if not runs:
        yield from api.unlocked(machine)

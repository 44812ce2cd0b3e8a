"""Machines come and go: imported from a box, cloned from another, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.providers.virtualbox.worker import versions
from core.providers.virtualbox.worker.api import Api, Refused, Steps
from core.providers.virtualbox.worker.looking import all_disks, forget_orphans, is_below

MARK = "boxwright/box"
"""Extra data of a machine that stands for a box, written when it is whole: the box's digest."""

BASE = "boxwright"
"""The snapshot that linked clones stand on."""


def master(api: Api, name: str, digest: str) -> str:
    """UUID of the whole machine that stands for the box, "" where there is none."""
    machine = api.find(name)
    if machine is None:
        return ""
    if machine.accessible and machine.getExtraData(MARK) == digest and machine.snapshotCount:
        return str(machine.id)
    return ""


def import_box(api: Api, appliance: str, name: str, folder: str, digest: str) -> Steps:
    """A machine called ``name`` below ``folder`` from an OVF or OVA, with a snapshot to make clones of."""
    if api.find(name) is not None:
        raise Refused("taken", f"There is a machine {name!r} already.")
    reader = api.box.createAppliance()
    yield reader.read(appliance)
    reader.interpret()
    found = api.array(reader, "virtualSystemDescriptions")
    if len(found) != 1:
        raise Refused("unfit", f"It describes {len(found)} machines; a box has one.")
    if not _place(api, found[0], name, Path(folder, name)):
        raise Refused("unfit", "It describes a machine without a disk.")
    yield reader.importMachines([api.constants.ImportOptions_KeepNATMACs])
    machine = api.needed(api.array(reader, "machines")[0])
    with api.held((yield from api.lock(machine))) as changed:
        progress = changed.takeSnapshot(BASE, "Machines of Boxwright are linked clones of this.", True)[0]
        yield progress
        changed.setExtraData(MARK, digest)
        changed.saveSettings()
    yield from api.unlocked(machine)
    return machine.id


def _place(api: Api, description: Any, name: str, home: Path) -> int:
    """Say where everything of the machine goes; returns how many disks it has."""
    types, _references, _original, values, extra = description.getDescription()
    constants = api.constants
    chosen, disks = list(values), 0
    kinds = {
        constants.VirtualSystemDescriptionType_Name: name,
        constants.VirtualSystemDescriptionType_BaseFolder: str(home.parent),
        constants.VirtualSystemDescriptionType_SettingsFile: str(home / f"{name}.vbox"),
        constants.VirtualSystemDescriptionType_PrimaryGroup: "/",
    }
    for place, kind in enumerate(types):
        if kind in kinds:
            chosen[place] = kinds[kind]
        elif kind == constants.VirtualSystemDescriptionType_HardDiskImage:
            chosen[place] = str(home / f"disk{disks}.vmdk")
            disks += 1
    description.setFinalValues([True] * len(types), chosen, list(extra))
    return disks


def clone(api: Api, source: str, name: str, uuid: str, settings: str, linked: bool) -> Steps:
    """A clone of a box's machine, registered; ``settings`` is the path of its file."""
    origin = api.needed(source)
    if api.find(name) is not None:
        raise Refused("taken", f"There is a machine {name!r} already, and it is somebody else's.")
    point = origin.findSnapshot(BASE)
    machine = api.box.createMachine(*versions.creation(api.version, settings, name, origin, f"UUID={uuid}"))
    links = [api.constants.CloneOptions_KeepNATMACs]
    if linked:
        links.append(api.constants.CloneOptions_Link)
    yield point.machine.cloneTo(machine, api.constants.CloneMode_MachineState, links)
    machine.saveSettings()
    try:
        api.box.registerMachine(machine)
    except Exception:
        media = machine.unregister(api.constants.CleanupMode_DetachAllReturnHardDisksOnly)
        yield machine.deleteConfig(media)
        raise
    return machine.id


def register(api: Api, uuid: str, settings: str, disks: list[list[str]]) -> None:
    """Let VirtualBox know a machine again whose settings are still there, and its disks before it."""
    if api.find(uuid) is None:
        for chain in disks:
            for path in reversed(chain):
                api.medium(path)
        api.box.registerMachine(api.box.openMachine(*versions.opening(api.version, settings)))


def remove(api: Api, uuid: str) -> Steps:
    """Switched off, unregistered, its files deleted; False where there is no such machine."""
    machine = api.find(uuid)
    if machine is None:
        return False
    constants = api.constants
    if not machine.accessible:
        machine.unregister(constants.CleanupMode_UnregisterOnly)
        return True
    yield from end(api, machine)
    media = machine.unregister(constants.CleanupMode_DetachAllReturnHardDisksOnly)
    yield machine.deleteConfig(media)
    return True


def end(api: Api, machine: Any) -> Steps:
    """Switch it off, if it runs, and wait until nobody holds it."""
    if api.state(machine.state) in RUNNING:
        session = yield from api.lock(machine, shared=True)
        with api.held(session):
            yield session.console.powerDown()
    yield from api.unlocked(machine)


RUNNING = ("Running", "Paused", "Stuck", "Starting", "Saving", "Restoring")


def drop_master(api: Api, name: str, folder: str) -> Steps:
    """Remove the machine that stands for a box, whole or half made, unless a clone stands on it; whether its
    folder can go. One of that name that is not in ``folder`` is somebody else's."""
    machine, home = api.find(name), str(Path(folder, name))
    if machine is not None:
        if not machine.settingsFilePath.startswith(home + "/"):
            return False
        if machine.accessible and _stood_on(api, machine):
            return False
        yield from remove(api, machine.id)
    forget_orphans(api, [home])
    return not any(is_below(medium.location, [home]) for medium in all_disks(api))


def _stood_on(api: Api, machine: Any) -> bool:
    origin = machine.findSnapshot("").machine if machine.snapshotCount else machine
    for attached in api.array(origin, "mediumAttachments"):
        children = api.array(attached.medium, "children") if attached.medium is not None else ()
        if any(machine.id not in api.array(child, "machineIds") for child in children):
            return True
    return False

"""What is there: machines, snapshots, media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.providers.virtualbox.worker.api import Api

_ADDITIONS = "/VirtualBox/GuestAdd/Version"


def about(api: Api) -> dict[str, Any]:
    """Of VirtualBox itself."""
    return {"version": api.box.version, "home": api.box.homeFolder}


def rows(api: Api, uuids: list[str]) -> dict[str, dict[str, Any]]:
    """Machines by UUID; those that VirtualBox does not know are left out."""
    found = {}
    for uuid in uuids:
        machine = api.find(uuid)
        if machine is not None:
            found[uuid] = _row(api, machine)
    return found


def _row(api: Api, machine: Any) -> dict[str, Any]:
    if not machine.accessible:
        error = machine.accessError
        return {"name": "", "state": "", "trouble": error.text if error else "It cannot be read."}
    state = api.state(machine.state)
    return {
        "name": machine.name,
        "state": state,
        "additions": machine.getGuestPropertyValue(_ADDITIONS) if state == "Running" else "",
        "pid": machine.sessionPID if machine.sessionState != api.constants.SessionState_Unlocked else 0,
        "settings": machine.settingsFilePath,
        "changed": machine.lastStateChange / 1000,
    }


def disks(api: Api, uuid: str) -> list[list[str]]:
    """For each disk of the machine: its own file, then those that it stands on."""
    found = []
    for attached in api.array(api.needed(uuid), "mediumAttachments"):
        if attached.type == api.constants.DeviceType_HardDisk and attached.medium is not None:
            chain, medium = [], attached.medium
            while medium is not None:
                chain.append(medium.location)
                medium = medium.parent
            found.append(chain)
    return found


def snapshots(api: Api, uuid: str) -> list[dict[str, Any]]:
    """Parents before their children."""
    machine = api.needed(uuid)
    if not machine.snapshotCount:
        return []
    found: list[dict[str, Any]] = []
    now = machine.currentSnapshot
    current = now.id if now is not None else ""
    waiting = [(machine.findSnapshot(""), "")]
    while waiting:
        point, parent = waiting.pop()
        entry = {
            "id": point.id,
            "name": point.name,
            "created": point.timeStamp / 1000,
            "size": _saved_memory(point) if point.online else 0,
            "parent": parent,
            "current": point.id == current,
        }
        found.append(entry)
        waiting += [(child, point.name) for child in api.array(point, "children")]
    return found


def _saved_memory(point: Any) -> int:
    """Bytes; at least one, as a snapshot of a running machine has its memory wherever that lies."""
    try:
        return max(1, Path(point.machine.stateFilePath).stat().st_size)
    except OSError:
        return 1


def orphans(api: Api, folders: list[str]) -> list[dict[str, Any]]:
    """Media below ``folders`` that no machine and no other medium needs."""
    found = []
    for medium in all_disks(api):
        if not is_below(medium.location, folders):
            continue
        if api.array(medium, "machineIds") or api.array(medium, "children"):
            continue
        found.append({"uuid": medium.id, "location": medium.location})
    return found


def forget_orphans(api: Api, folders: list[str]) -> list[str]:
    """Take them out of VirtualBox's list, leaves first; returns their locations. Files stay."""
    gone: list[str] = []
    for _ in range(100):
        found = orphans(api, folders)
        if not found:
            break
        for entry in found:
            api.medium(entry["location"]).close()
            gone.append(entry["location"])
    return gone


def forget_strays(api: Api, parent: str) -> list[str]:
    """Take out of VirtualBox's lists what lay in folders below ``parent`` that are not there any more, as
    somebody deleted them; returns the folders."""
    gone: set[str] = set()
    for machine in api.array(api.box, "machines"):
        folder = _missing(machine.settingsFilePath, parent)
        if folder:
            accessible = machine.accessible
            none, only = (
                api.constants.CleanupMode_DetachAllReturnNone,
                api.constants.CleanupMode_UnregisterOnly,
            )
            machine.unregister(none if accessible else only)
            gone.add(folder)
    gone |= {_missing(medium.location, parent) for medium in all_disks(api)} - {""}
    forget_orphans(api, sorted(gone))
    return sorted(gone)


def _missing(path: str, parent: str) -> str:
    """The folder below ``parent`` that ``path`` lies in, where that is not there; else ""."""
    if not is_below(path, [parent]):
        return ""
    folder = Path(parent, Path(path).relative_to(parent).parts[0])
    return "" if folder.exists() else str(folder)


def is_below(location: str, folders: list[str]) -> bool:
    return any(location.startswith(folder.rstrip("/") + "/") for folder in folders)


def all_disks(api: Api) -> list[Any]:
    """Disks that VirtualBox knows, and those that stand on them."""
    found, media = [], api.array(api.box, "hardDisks")
    while media:
        medium = media.pop()
        found.append(medium)
        media += api.array(medium, "children")
    return found

"""Bringing a machine's settings up to date with its plan."""

from __future__ import annotations

import contextlib
from typing import Any

from core.providers.virtualbox.worker import versions
from core.providers.virtualbox.worker.api import Api, Refused, Steps

_SLOTS = 8
"""Network cards that a machine can have on every chipset."""


def configure(api: Api, uuid: str, wanted: dict[str, Any]) -> Steps:
    """``wanted``: cpus, memory (MB), firmware, serial (path), rules, networks, card, folders, disks, note."""
    machine = api.needed(uuid)
    with api.held((yield from api.lock(machine))) as changed:
        changed.CPUCount = wanted["cpus"]
        changed.memorySize = wanted["memory"]
        changed.description = wanted["note"]
        _firmware(api, changed, wanted["firmware"])
        _serial(api, changed, wanted["serial"])
        _cards(api, changed, wanted)
        _folders(api, changed, wanted["folders"])
        for disk in wanted["disks"]:
            yield from _extra_disk(api, changed, disk)
        changed.saveSettings()
    yield from api.unlocked(machine)


def _firmware(api: Api, machine: Any, wanted: str) -> None:
    """UEFI where the box wants it; else as its OVF says."""
    if wanted != "uefi":
        return
    holder = versions.firmware_of(api.version, machine)
    if holder.firmwareType == api.constants.FirmwareType_BIOS:
        holder.firmwareType = api.constants.FirmwareType_EFI


def _serial(api: Api, machine: Any, path: str) -> None:
    port = machine.getSerialPort(0)
    port.path = path
    port.server = True
    port.hostMode = api.constants.PortMode_HostPipe
    port.enabled = True


def _cards(api: Api, machine: Any, wanted: dict[str, Any]) -> None:
    """The first card is the way out and has the forwardings; then one for each network."""
    if len(wanted["networks"]) >= _SLOTS:
        raise Refused("unfit", f"A machine has {_SLOTS} network cards; the first is its way out.")
    constants = api.constants
    first = machine.getNetworkAdapter(0)
    first.attachmentType = constants.NetworkAttachmentType_NAT
    if wanted["card"]:
        first.adapterType = api.constant(f"NetworkAdapterType_{wanted['card']}")
    first.enabled = first.cableConnected = True
    engine = first.NATEngine
    for rule in api.array(engine, "redirects"):
        engine.removeRedirect(rule.split(",")[0])
    for rule in wanted["rules"]:
        protocol = getattr(constants, f"NATProtocol_{rule['protocol'].upper()}")
        engine.addRedirect(rule["name"], protocol, rule["address"], rule["host"], "", rule["guest"])
    for slot, network in enumerate(wanted["networks"], 1):
        _card(api, machine.getNetworkAdapter(slot), network, first.adapterType)


def _card(api: Api, card: Any, network: dict[str, Any], model: Any) -> None:
    constants = api.constants
    card.adapterType = model
    if network["kind"] == "internal":
        card.internalNetwork = network["name"]
        card.attachmentType = constants.NetworkAttachmentType_Internal
    elif network["kind"] == "bridged":
        card.bridgedInterface = network["name"]
        card.attachmentType = constants.NetworkAttachmentType_Bridged
    else:
        card.hostOnlyInterface = network["name"]
        card.attachmentType = constants.NetworkAttachmentType_HostOnly
    if network["mac"]:
        card.MACAddress = network["mac"]
    card.enabled = card.cableConnected = True


def _folders(api: Api, machine: Any, wanted: list[dict[str, Any]]) -> None:
    for known in api.array(machine, "sharedFolders"):
        machine.removeSharedFolder(known.name)
    for folder in wanted:
        machine.createSharedFolder(folder["name"], folder["host"], folder["writable"], True, folder["guest"])


def _extra_disk(api: Api, machine: Any, disk: dict[str, Any]) -> Steps:
    """An empty disk, made and attached at the first free place."""
    constants = api.constants
    kind = constants.DeviceType_HardDisk
    with contextlib.suppress(Exception):
        # Left over from an attempt that was ended before the disk was attached.
        yield api.medium(disk["path"]).deleteStorage()
    medium = api.box.createMedium("VDI", disk["path"], constants.AccessMode_ReadWrite, kind)
    yield medium.createBaseStorage(disk["size"], [constants.MediumVariant_Standard])
    controller, port, device = _free_place(api, machine)
    machine.attachDevice(controller, port, device, kind, medium)
    machine.saveSettings()


def _free_place(api: Api, machine: Any) -> tuple[str, int, int]:
    """On a SATA or SCSI controller of the machine; one more is added where all are full, or none is there."""
    constants = api.constants
    taken = {(at.controller, at.port, at.device) for at in api.array(machine, "mediumAttachments")}
    buses = (constants.StorageBus_SATA, constants.StorageBus_SCSI, constants.StorageBus_SAS)
    controllers = [one for one in api.array(machine, "storageControllers") if one.bus in buses]
    for controller in controllers:
        for port in range(min(controller.maxPortCount, 30)):
            if (controller.name, port, 0) not in taken:
                if controller.portCount <= port:
                    controller.portCount = port + 1
                return controller.name, port, 0
    name = f"Boxwright {len(controllers)}"
    added = machine.addStorageController(name, constants.StorageBus_SATA)
    added.portCount = 30
    return name, 0, 0

"""A disk image as a machine of VirtualBox's: a description (OVF 1.0) beside a compressed VMDK."""

from __future__ import annotations

import asyncio
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from core.boxes.disk_images import inspect
from core.builds.process import run_tool
from core.builds.tools import QEMU_IMG, need
from core.model.work import Work

DESCRIPTION = "box.ovf"
"""What boxes of Vagrant's for VirtualBox call it."""
DISK = "box-disk001.vmdk"

_MEMORY = 512
"""MiB, where the machine says nothing else."""

_OVF = "http://schemas.dmtf.org/ovf/envelope/1"
_RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
_VSSD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
_STREAM = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"

_PROCESSOR, _RAM, _IDE, _CARD, _HARD_DISK = 3, 4, 5, 10, 17
"""Kinds of resources, as the standard numbers them."""

for _prefix, _space in (("ovf", _OVF), ("rasd", _RASD), ("vssd", _VSSD)):
    ElementTree.register_namespace(_prefix, _space)


async def write(image: Path, folder: Path, name: str, work: Work) -> dict[str, Path]:
    """The files of the box, in ``folder``, which is made. ``image`` stays as it is."""
    disk = folder / DISK
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    argv = [
        *(need(QEMU_IMG), "convert", "-m", "4", "-O", "vmdk", "-o", "subformat=streamOptimized"),
        *(str(image), str(disk)),
    ]
    await run_tool(argv, work=work, doing="writing VirtualBox's disk")
    capacity = (await asyncio.to_thread(inspect, image)).size
    description = folder / DESCRIPTION
    await asyncio.to_thread(description.write_bytes, describe(name, capacity, disk.stat().st_size))
    return {DESCRIPTION: description, DISK: disk}


def describe(name: str, capacity: int, size: int) -> bytes:
    """One machine with one disk at the IDE controller that all versions have, and a card at NAT.

    ``capacity``: bytes that the guest sees; ``size``: bytes of the file.
    """
    envelope = Element(_of("Envelope"), {_of("version"): "1.0"})
    files = SubElement(envelope, _of("References"))
    SubElement(files, _of("File"), {_of("id"): "file1", _of("href"): DISK, _of("size"): str(size)})
    disks = SubElement(envelope, _of("DiskSection"))
    SubElement(disks, _of("Info")).text = "Disks"
    SubElement(
        disks,
        _of("Disk"),
        {
            _of("diskId"): "disk1",
            _of("fileRef"): "file1",
            _of("capacity"): str(capacity),
            _of("format"): _STREAM,
        },
    )
    networks = SubElement(envelope, _of("NetworkSection"))
    SubElement(networks, _of("Info")).text = "Networks"
    SubElement(networks, _of("Network"), {_of("name"): "NAT"})
    system = SubElement(envelope, _of("VirtualSystem"), {_of("id"): name})
    SubElement(system, _of("Info")).text = "A machine"
    guest = SubElement(system, _of("OperatingSystemSection"), {_of("id"): "101"})
    SubElement(guest, _of("Info")).text = "Linux, 64 bit"
    hardware = SubElement(system, _of("VirtualHardwareSection"))
    SubElement(hardware, _of("Info")).text = "Hardware"
    _hardware(hardware, name)
    ElementTree.indent(envelope)
    text: bytes = ElementTree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return text


def _hardware(section: Element, name: str) -> None:
    system = SubElement(section, _of("System"))
    for key, value in {
        "ElementName": "Virtual Hardware Family",
        "InstanceID": "0",
        "VirtualSystemIdentifier": name,
        "VirtualSystemType": "virtualbox-2.2",
    }.items():
        SubElement(system, f"{{{_VSSD}}}{key}").text = value
    _item(section, 1, _PROCESSOR, "1 processor", VirtualQuantity="1")
    _item(section, 2, _RAM, "Memory", AllocationUnits="MegaBytes", VirtualQuantity=str(_MEMORY))
    _item(section, 3, _IDE, "IDE", Address="0", ResourceSubType="PIIX4")
    _item(section, 4, _HARD_DISK, "Disk", AddressOnParent="0", HostResource="/disk/disk1", Parent="3")
    _item(
        section, 5, _CARD, "Card", AutomaticAllocation="true", Connection="NAT", ResourceSubType="VirtioNet"
    )


def _item(section: Element, number: int, kind: int, name: str, **more: str) -> None:
    """The standard wants what is in an item in alphabetical order."""
    item = SubElement(section, _of("Item"))
    values = {"ElementName": name, "InstanceID": str(number), "ResourceType": str(kind), **more}
    for key, value in sorted(values.items()):
        SubElement(item, f"{{{_RASD}}}{key}").text = value


def _of(name: str) -> str:
    return f"{{{_OVF}}}{name}"

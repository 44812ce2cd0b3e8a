"""What an OVF says of its machine, as far as a build has to know it before VirtualBox reads it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import msgspec

from core.errors import BoxwrightError

_PROCESSORS, _MEMORY = "3", "4"
"""Kinds of resources, as the standard numbers them."""

_LARGEST = 4 << 20


class Described(msgspec.Struct, frozen=True):
    files: tuple[str, ...] = ()
    """Names that it gives for its disks and the like."""
    cpus: int = 1
    memory: int = 512
    """MiB."""


def describe(path: Path) -> Described:
    """Raises BoxwrightError for what is no OVF."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        tree = ElementTree.fromstring(data)
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise BoxwrightError(f"{path} is no description of a machine (OVF).", why=str(error)) from None
    names = [
        value
        for element in tree.iter()
        for attribute, value in element.attrib.items()
        if attribute.rpartition("}")[2] == "href"
    ]
    found: dict[str, int] = {}
    for item in tree.iter():
        parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in item}
        if parts.get("VirtualQuantity", "").isdigit() and parts.get("ResourceType") in (_PROCESSORS, _MEMORY):
            found.setdefault(parts["ResourceType"], int(parts["VirtualQuantity"]))
    return Described(
        files=tuple(names),
        cpus=max(1, min(64, found.get(_PROCESSORS, 1))),
        memory=max(4, found.get(_MEMORY, 512)),
    )

"""Elements of libvirt's XML: made by the library that owns the format, never as text."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import msgspec


def add(parent: Element, tag: str, text: str = "", /, **attributes: object) -> Element:
    """A new element below ``parent``; attributes that are empty are left out."""
    made = SubElement(parent, tag, filled(attributes))
    if text:
        made.text = text
    return made


def filled(attributes: Mapping[str, object]) -> dict[str, str]:
    """As text, without those that are empty."""
    return {name: str(value) for name, value in attributes.items() if value not in ("", None)}


def attributes_of(part: msgspec.Struct, *names: str) -> dict[str, object]:
    """The named fields of a part, all where none is named."""
    found: dict[str, object] = msgspec.to_builtins(part)
    return {name: found[name] for name in names or found}


def text(element: Element) -> str:
    return ElementTree.tostring(element, encoding="unicode")

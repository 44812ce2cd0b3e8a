"""What a box describes, before VirtualBox reads it: a description is hostile until shown otherwise.

VirtualBox follows the names that an OVF gives for its files, and those that a VMDK without content gives for
its parts, wherever they lead: a box could bring files of the host into its machine.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from core.errors import ProviderError
from core.model.machine import MachinePlan

_LARGEST = 4 << 20
"""Bytes of a description; real ones have some kilobytes."""

_DESCRIPTOR = b"#diskdescriptorfile"
"""Begins such a VMDK, with blanks in several places."""


def find(plan: MachinePlan) -> str:
    """Which of the box's files describes its machine. Raises ProviderError where there is none, or no box."""
    found = sorted(name for name in plan.box_files if name.lower().endswith((".ovf", ".ova")))
    if not found:
        raise ProviderError(
            f"The box of the machine {plan.key.name} holds no machine of VirtualBox.",
            why="Such a box has a file box.ovf, or an OVA.",
            remedy="choose a box with the provider 'virtualbox'",
        )
    for name, path in plan.box_files.items():
        if not Path(path).is_file():
            raise ProviderError(
                f"The box's file {name} ({path}) is missing.",
                remedy="boxwright box verify, then add the box again",
            )
    return "box.ovf" if "box.ovf" in found else found[0]


def check(plan: MachinePlan, name: str) -> None:
    """Raise ProviderError where the description ``name``, or a disk, leads out of the box."""
    for file, path in plan.box_files.items():
        with Path(path).open("rb") as opened:
            begin = opened.read(512).lower().replace(b" ", b"")
            if _DESCRIPTOR in begin and not file.lower().endswith(".ova"):
                raise _refused(plan, f"The disk {file!r} has no content: it names other files that have it.")
    if name.lower().endswith(".ovf"):
        why = _wrong_reference(Path(plan.box_files[name]), name, plan.box_files)
        if why:
            raise _refused(plan, why)


def _wrong_reference(path: Path, name: str, files: Mapping[str, str]) -> str:
    """Why the OVF at ``path``, called ``name``, is not followed; "" where all that it names is in the box."""
    if path.stat().st_size > _LARGEST:
        return f"{name} is far too large."
    try:
        tree = ElementTree.fromstring(path.read_bytes())
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        return f"{name} cannot be understood: {error}."
    for element in tree.iter():
        for attribute, value in element.attrib.items():
            if attribute.rpartition("}")[2] == "href":
                place = posixpath.normpath(str(PurePosixPath(name).parent / value))
                if place not in files:
                    return f"{name} names the file {value[:80]!r}, which is not in the box."
    return ""


def _refused(plan: MachinePlan, why: str) -> ProviderError:
    return ProviderError(
        f"VirtualBox cannot import the box of the machine {plan.key.name}.",
        why=why,
        remedy="boxwright box verify, then add the box again, or ask whoever made it for a mended one",
    )

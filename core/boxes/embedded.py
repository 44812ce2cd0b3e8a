"""The Vagrantfile inside a box: read for a few plain assignments, never executed."""

from __future__ import annotations

import re

import msgspec

_ASSIGNMENT = re.compile(
    r"^[ \t]*\w+\.(?P<path>ssh\.username|ssh\.private_key_path|loader|firmware)[ \t]*=(?P<value>.+)$",
    re.MULTILINE | re.ASCII,
)
_STRING = re.compile(r"""^(["'])(?P<text>[^"'\\#]*)\1\s*(?:#.*)?$""")
_BESIDE = re.compile(
    r"""^\[?\s*File\.(?:expand_path\(\s*["']\.\./(?P<a>[\w.-]+)["']\s*,\s*__FILE__\s*\)
    |join\(\s*File\.dirname\(__FILE__\)\s*,\s*["'](?P<b>[\w.-]+)["']\s*\))\s*\]?\s*(?:\#.*)?$""",
    re.VERBOSE,
)
_UEFI = re.compile("ovmf|edk2|efi", re.IGNORECASE)
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}", re.ASCII)


class Embedded(msgspec.Struct, frozen=True):
    """What the Vagrantfile of a box says about reaching its machines."""

    user: str = ""
    private_key: str = ""
    """Name of a file in the box."""
    uefi: bool = False


def read(text: str) -> Embedded:
    """Never raises: what is not a plain assignment is passed over."""
    found = Embedded()
    for match in _ASSIGNMENT.finditer(text):
        path, value = match["path"], match["value"].strip()
        string = _STRING.match(value)
        if path == "ssh.username" and string and _ACCOUNT.fullmatch(string["text"]):
            found = msgspec.structs.replace(found, user=string["text"])
        elif path == "ssh.private_key_path" and (beside := _BESIDE.match(value)):
            found = msgspec.structs.replace(found, private_key=beside["a"] or beside["b"])
        elif path in ("loader", "firmware") and string and _UEFI.search(string["text"]):
            found = msgspec.structs.replace(found, uefi=True)
    return found

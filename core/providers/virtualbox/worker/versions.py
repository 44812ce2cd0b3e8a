"""What differs between the versions of VirtualBox, 6.1 to 7.2; nothing else asks which one it is."""

from __future__ import annotations

import re
from typing import Any

Version = tuple[int, ...]
"""Such as (7, 2, 22); () for what says none."""

OLDEST: Version = (6, 1)

_PERMITTING: Version = (6, 1, 28)


def read(text: str) -> Version:
    """Of e.g. ``7.2.22_Debianr175245``, as its programs and its API say it; it may stand below warnings."""
    for line in reversed(text.splitlines()):
        found = re.match(r"\s*(\d+)\.(\d+)\.(\d+)", line)
        if found:
            return tuple(int(part) for part in found.groups())
    return ()


def creation(version: Version, settings: str, name: str, origin: Any, flags: str) -> tuple[Any, ...]:
    """What createMachine wants: from 7.0 on a cipher, a password and its name, from 7.1 on the platform.
    ``origin``: the machine whose kind it is to have."""
    system = origin.OSTypeId
    if version >= (7, 1):
        return (settings, name, origin.platform.architecture, [], system, flags, "", "", "")
    if version >= (7, 0):
        return (settings, name, [], system, flags, "", "", "")
    return (settings, name, [], system, flags)


def opening(version: Version, settings: str) -> tuple[str, ...]:
    """What openMachine wants: from 7.0 on a password."""
    return (settings, "") if version >= (7, 0) else (settings,)


def firmware_of(version: Version, machine: Any) -> Any:
    """What of a machine has its kind of firmware: from 7.1 on it stands apart."""
    return machine.firmwareSettings if version >= (7, 1) else machine


def permits_ranges(version: Version) -> bool:
    """Whether host-only networks are allowed in certain ranges only."""
    return version >= _PERMITTING

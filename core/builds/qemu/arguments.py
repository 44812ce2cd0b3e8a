"""Packer's ``qemuargs``: options in place of our own, and drives and devices besides ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

PORT = "@port@"
"""Stands where the guest's SSH is forwarded from: the port is chosen when the machine starts."""

BESIDE = ("-drive", "-device")
"""Options of which those that a template names are added to ours."""

_MEMORY = re.compile(r"(?:size=)?(\d+)([MmGg]?)(?:,|$)")


def read(
    qemuargs: tuple[tuple[str, ...], ...], render: Callable[[str], str], ours: Callable[[str], bool]
) -> dict[str, list[str]]:
    """The options by name, each with its values. ``ours``: whether a drive's file is one that the machine has
    anyhow, as its disk or its CD: templates that name drives name these, too."""
    found: dict[str, list[str]] = {}
    for pair in qemuargs:
        option = re.sub(r"^-*", "-", pair[0])
        values = found.setdefault(option, [])
        if len(pair) == 2:
            value = render(pair[1])
            if option != "-drive" or not ours(_file(value)):
                values.append(value)
    return found


def memory(options: dict[str, list[str]]) -> int:
    """MiB of ``-m``, 0 where that is not said."""
    said = _MEMORY.match(options.get("-m", [""])[-1])
    return int(said[1]) * (1024 if said[2] in ("G", "g") else 1) if said and said[1] else 0


def networked(devices: Collection[str], card: str) -> bool:
    """Whether the machine's network card is among the devices."""
    return any(card in device for device in devices)


def same_file(text: str, place: Path, paths: Collection[Path]) -> bool:
    """Whether ``text``, relative to ``place``, means one of ``paths``."""
    return bool(text) and (place / text).resolve() in {path.resolve() for path in paths}


def _file(drive: str) -> str:
    """The file of a drive; "" where it has none."""
    named = [part for part in re.split(r"(?<!,),(?!,)", drive) if part.startswith("file=")]
    return named[0].removeprefix("file=").replace(",,", ",") if named else ""

"""The provider's table of the project file: ``[machines.<name>.qemu]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import UsageError
from core.providers.options import read_table

ACCELERATORS = ("auto", "kvm", "hvf", "tcg")
DISPLAYS = ("screen", "none", "vnc")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said there."""

    accelerator: str = "auto"
    """``auto``, ``kvm``, ``hvf`` or ``tcg``."""
    cpu: str = ""
    """QEMU's CPU model; by default the host's, or all that emulation can do."""
    machine: str = ""
    """QEMU's machine type, e.g. ``q35`` or ``pc``."""
    display: str = "screen"
    """``screen``: a graphics card, for boot loaders and systems that wait for one, and to be looked at;
    ``vnc``: with a keyboard and a tablet besides; ``none``: no card. Both are reached by VNC at a
    private Unix socket."""
    args: tuple[str, ...] = ()
    """More arguments for QEMU, as they are."""


def read_options(table: Mapping[str, Any]) -> Options:
    """Raise UsageError where ``table`` holds an unknown key, a wrong type or value."""
    options = read_table(table, Options, "QEMU")
    _one_of("accelerator", options.accelerator, ACCELERATORS)
    _one_of("display", options.display, DISPLAYS)
    for key in ("cpu", "machine"):
        value = getattr(options, key)
        if value.startswith("-") or "\0" in value:
            raise UsageError(f"The QEMU option {key} cannot be {value!r}.")
    return options


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(
            f"The QEMU option {key} cannot be {value!r}.",
            why=f"Possible are: {', '.join(allowed)}.",
            remedy=f'{key} = "{allowed[0]}"',
        )

"""The provider's table of the project file: ``[machines.<name>.libvirt]``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from core.errors import UsageError
from core.providers.options import read_table

ACCELERATORS = ("auto", "kvm", "tcg")
DISPLAYS = ("none", "vnc")
SCHEMES = ("qemu", "qemu+unix")
"""Connections to a hypervisor of this computer, which sees the files of boxes and machines."""

URI_VARIABLE = "LIBVIRT_DEFAULT_URI"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said there."""

    uri: str = ""
    """Which libvirt, e.g. ``qemu:///system``; see :func:`default_uri`."""
    accelerator: str = "auto"
    """``auto``, ``kvm`` or ``tcg``."""
    cpu: str = ""
    """A CPU model; by default the host's, or all that emulation can do."""
    machine: str = ""
    """The machine type, e.g. ``q35`` or ``pc``."""
    display: str = "none"
    """``vnc``: a screen, reachable by VNC through a private Unix socket."""
    networks: tuple[str, ...] = ()
    """Networks of libvirt, e.g. ``default``: for each, the machine has one more network card."""


def read_options(table: Mapping[str, Any]) -> Options:
    """Raise UsageError where ``table`` holds an unknown key, a wrong type or value."""
    options = read_table(table, Options, "libvirt")
    _one_of("accelerator", options.accelerator, ACCELERATORS)
    _one_of("display", options.display, DISPLAYS)
    _check_uri(options.uri)
    for value in (options.cpu, options.machine, *options.networks):
        if re.search(r"[\x00-\x1f]", value):
            raise UsageError(f"An option of the libvirt provider cannot be {value!r}.")
    return options


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(
            f"The libvirt option {key} cannot be {value!r}.",
            why=f"Possible are: {', '.join(allowed)}.",
            remedy=f'{key} = "{allowed[0]}"',
        )


def _check_uri(uri: str) -> None:
    if not uri:
        return
    try:
        parts = urlsplit(uri)
        far = parts.netloc not in ("", "localhost")
    except ValueError as error:
        raise UsageError(f"The libvirt option uri cannot be {uri!r}.", why=str(error)) from error
    if far:
        raise UsageError(
            f"The libvirt option uri cannot be {uri!r}.",
            why="The hypervisor of another computer sees neither the boxes of this one nor its loopback.",
            remedy='uri = "qemu:///system", or run Boxwright on that computer',
        )
    if parts.scheme not in SCHEMES:
        raise UsageError(
            f"The libvirt option uri cannot be {uri!r}.",
            why=f"Possible are connections that begin with {', '.join(f'{name}:' for name in SCHEMES)}.",
            remedy='uri = "qemu:///session"',
        )


def default_uri() -> str:
    """As libvirt itself chooses: what the environment says, else the system's for root, else the user's."""
    return os.environ.get(URI_VARIABLE) or ("qemu:///system" if os.geteuid() == 0 else "qemu:///session")

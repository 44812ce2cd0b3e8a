"""The provider's table of the project file: ``[machines.<name>.lxd]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from core.errors import UsageError
from core.providers.options import read_table

COMMUNICATORS = ("exec", "ssh")

RESERVED = "boxwright-"
"""Devices with names that begin so are ours."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said there."""

    image: str = ""
    """An image instead of a box: alias or fingerprint at the server, or ``remote:alias``."""
    remote: str = ""
    """``https://host:port`` of a server elsewhere; by default the local one."""
    token_file: str = ""
    """A file with the trust token of that server, needed once."""
    project: str = ""
    """LXD's project; by default ``default``."""
    target: str = ""
    """The member of a cluster that is to have the machine."""
    pool: str = ""
    """The storage pool; by default the profiles'."""
    network: str = ""
    """The network of the first card; by default the profiles'."""
    profiles: tuple[str, ...] = ("default",)
    config: dict[str, str | int | bool] = {}
    """Configuration keys of the instance, e.g. ``"security.nesting" = true``."""
    devices: dict[str, dict[str, str | int | bool]] = {}
    """Devices of the instance, each with its ``type``."""
    communicator: str = "exec"
    """``exec``: by the server, as root. ``ssh``: by an SSH server in the container, on a forwarded port."""


def read_options(table: Mapping[str, Any]) -> Options:
    """Raise UsageError where ``table`` holds an unknown key, a wrong type or value."""
    options = read_table(table, Options, "lxd")
    if options.communicator not in COMMUNICATORS:
        raise UsageError(
            f"The lxd option communicator cannot be {options.communicator!r}.",
            why=f"Possible are: {', '.join(COMMUNICATORS)}.",
            remedy=f'communicator = "{COMMUNICATORS[0]}"',
        )
    _check_remote(options.remote)
    for key in ("image", "token_file", "project", "target", "pool", "network"):
        if _CONTROL.search(getattr(options, key)):
            raise UsageError(f"The lxd option {key} cannot be {getattr(options, key)!r}.")
    for key in options.config:
        if key.startswith("user.boxwright."):
            raise UsageError(
                f"The lxd option config cannot hold {key!r}.",
                why="Keys that begin with user.boxwright. are where Boxwright keeps its own notes.",
                remedy=f"remove {key!r}",
            )
    for name, device in options.devices.items():
        if name.startswith(RESERVED) or "type" not in device:
            raise UsageError(
                f"The lxd option devices cannot hold {name!r} as it is.",
                why=f"A device needs a 'type', and a name that does not begin with {RESERVED!r}.",
                remedy='devices = { gpu = { type = "gpu" } }',
            )
    return options


def _check_remote(remote: str) -> None:
    if not remote:
        return
    try:
        parts = urlsplit(remote)
        wrong = parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/")
        wrong = wrong or bool(parts.username or parts.query or parts.fragment) or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or _CONTROL.search(remote):
        raise UsageError(
            f"The lxd option remote cannot be {remote!r}.",
            why="It is the address of a server.",
            remedy='remote = "https://lxd.example.org:8443"',
        )


def text(value: str | int | bool) -> str:
    """As LXD writes it: all values of its configuration are texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

"""The provider's table of the project file: ``[machines.<name>.virtualbox]``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from core.errors import UsageError
from core.providers.options import read_table

MOMENTS = ("pre-import", "post-import", "pre-boot", "post-boot")
"""When a command of ``customize`` is run, as Vagrant calls it."""

ID = ":id"
"""Stands for the machine in commands of ``customize``."""


class SharedFolder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder of the host that the guest sees, with VirtualBox's guest additions."""

    host: str
    """Absolute, or from the project's folder."""
    guest: str = ""
    """Where the guest mounts it; "" leaves that to the guest additions."""
    name: str = ""
    writable: bool = True


class CardNetwork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network of VirtualBox's own that the machine has a card in."""

    kind: Literal["internal", "hostonly", "bridged"] = "internal"
    name: str = ""
    """Of the internal network, or of the host's interface to be bridged."""
    subnet: str = ""
    """For ``hostonly``: in CIDR form; the host has its first address."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said there."""

    name: str = ""
    """What VirtualBox calls the machine; by default made of its name and its id."""
    memory: Annotated[int, Meta(ge=4)] = 0
    """Megabytes, instead of the machine's own."""
    cpus: Annotated[int, Meta(ge=1, le=64)] = 0
    """Instead of the machine's own."""
    linked_clone: bool = True
    """``false``: with a copy of the box's disks."""
    default_nic_type: Literal["", "virtio", "82540EM", "82543GC", "82545EM", "Am79C970A", "Am79C973"] = ""
    """Kind of the network cards; "" as the box has it."""
    gui: bool = False
    """With a window."""
    customize: tuple[tuple[str, ...], ...] = ()
    """Commands for VBoxManage, as Vagrant has them: ``["modifyvm", ":id", "--vram", "32"]``; the first word
    may say when, see :data:`MOMENTS`."""
    shared_folders: tuple[SharedFolder, ...] = ()
    networks: tuple[CardNetwork, ...] = ()
    project_networks: Literal["internal", "hostonly"] = "internal"
    """What the project's networks are made of: ``internal`` or ``hostonly``, which the host is part of."""

    def commands(self, moment: str) -> list[tuple[str, ...]]:
        """Those of ``customize`` that are due then."""
        found = []
        for command in self.customize:
            said, words = (command[0], command[1:]) if command[0] in MOMENTS else ("pre-boot", command)
            if said == moment:
                found.append(words)
        return found


def read_options(table: Mapping[str, Any]) -> Options:
    """Raise UsageError where ``table`` holds an unknown key, a wrong type or value."""
    options = read_table(table, Options, "VirtualBox")
    for network in options.networks:
        _check_network(network)
    if re.search(r"[\x00-\x1f]", options.name) or len(options.name) > 200:
        raise UsageError(f"The VirtualBox option name cannot be {options.name!r}.")
    for command in options.customize:
        words = command[1:] if command[:1] and command[0] in MOMENTS else command
        if not words or not words[0] or words[0].startswith("-"):
            raise UsageError(
                f"The VirtualBox option customize cannot have {list(command)!r}.",
                why="Each entry is a command of VBoxManage and its arguments.",
                remedy='customize = [["modifyvm", ":id", "--vram", "32"]]',
            )
    for word in (word for command in options.customize for word in command):
        if "\0" in word:
            raise UsageError("The VirtualBox option customize cannot have a NUL character.")
    return options


def _check_network(network: CardNetwork) -> None:
    if network.kind == "hostonly":
        try:
            ipaddress.IPv4Network(network.subnet)
        except ValueError as error:
            raise UsageError(
                f"A host-only network of VirtualBox needs a subnet; {network.subnet!r} is none.",
                why=str(error),
                remedy='{ kind = "hostonly", subnet = "192.168.56.0/24" }',
            ) from error
    elif not network.name:
        raise UsageError(
            f"A network of the kind {network.kind!r} needs a name.",
            remedy=f'{{ kind = "{network.kind}", name = "..." }}',
        )

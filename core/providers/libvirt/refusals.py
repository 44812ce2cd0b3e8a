"""Options of vagrant-libvirt that cannot be had here: each with the reason, and with what does it instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import UsageError

_PLAN = "What a machine is made from is stored, and nothing secret may be in there."

REFUSED: Mapping[str, tuple[str, str]] = {
    "password": ("A password would have to be stored.", "use a key: id_ssh_key_file, or SSH's own settings"),
    "proxy_command": (
        "libvirt itself goes to other computers by ssh, which reads its own settings.",
        "write ProxyCommand or ProxyJump into ~/.ssh/config",
    ),
    "system_uri": (
        "Networks are made where the machine is.",
        'remove it; networks need uri = "qemu:///system"',
    ),
    "machine_arch": ("A machine has the architecture of its box.", "remove it"),
    "uuid": ("A machine's domain is found by its UUID, which follows from the machine's id.", "remove it"),
    "graphics_passwd": (_PLAN, "leave it out: screens are on a private socket, or on the loopback"),
    "launchsecurity": ("Encrypted guests (AMD SEV) are not supported.", "remove it"),
    "launchsecurity_data": ("Encrypted guests (AMD SEV) are not supported.", "remove it"),
    "host_device_exclude_prefixes": (
        "No device of the host's is chosen by itself.",
        'name the device: networks = [{ bridge = "br0" }]',
    ),
}


def refuse(table: Mapping[str, Any]) -> None:
    """Raise UsageError where ``table`` has one of these."""
    for name in table:
        if name in REFUSED:
            why, remedy = REFUSED[name]
            raise UsageError(f"The libvirt provider does not take {name}.", why=why, remedy=remedy)

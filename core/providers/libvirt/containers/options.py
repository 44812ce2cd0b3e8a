"""What of libvirt's options containers have, and where their libvirt is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import UsageError
from core.model.machine import MachinePlan
from core.providers.libvirt import address, checks
from core.providers.libvirt.options import read_options

TAKEN = frozenset(
    {
        *("uri", "title", "description", "default_prefix", "autostart"),
        *("memory", "memtune", "cpus", "cpuset", "shares", "init"),
        *("networks", "forward_mode", "nic_adapter_count", *checks.MANAGEMENT),
        *("random_hostname", "mgmt_attach"),
    }
)

USUAL = "lxc:///system"


def default_uri() -> str:
    """As the environment says, where that names a libvirt of containers; else the only one there is."""
    named = os.environ.get(address.URI_VARIABLE, "")
    return named if address.is_container(named) else USUAL


def placed(plan: MachinePlan) -> MachinePlan:
    """The plan, with the libvirt named that it is for."""
    if plan.options.get("uri"):
        return plan
    return msgspec.structs.replace(plan, options={**plan.options, "uri": default_uri()})


def check(table: Mapping[str, Any]) -> None:
    """Raise UsageError for what containers have not."""
    options = read_options({"uri": default_uri(), **table})
    if not address.is_container(options.uri):
        raise UsageError(
            f"The option uri of the provider lxc cannot be {options.uri!r}.",
            why="It is of libvirt's LXC driver, on this computer.",
            remedy='provider = "libvirt", or remove uri',
        )
    checks.refuse_others(options, TAKEN, "containers of libvirt's")

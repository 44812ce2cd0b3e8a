"""Is libvirt usable on this computer?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import BoxwrightError
from core.model.provider import Capability, Probe, unusable
from core.providers import acceleration, tools
from core.providers.libvirt import address, troubles
from core.providers.libvirt.connection import reached
from core.providers.libvirt.library import LibvirtError, bindings, call
from core.providers.libvirt.options import resolved_uri

CAPABILITIES = frozenset(
    {
        Capability.CLONE,
        Capability.MIGRATE,
        Capability.NETWORKS,
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.SNAPSHOT_MEMORY,
        Capability.SERIAL,
        Capability.STATS,
        Capability.SCREEN,
        Capability.PORTS,
        Capability.EXTRA_DISKS,
    }
)

_unusable = partial(unusable, "libvirt", CAPABILITIES)

OLDEST = (7, 0)
"""The CPU mode ``maximum``, which emulation needs, came shortly after."""

PATIENCE = 5.0
"""Seconds for a daemon to answer; one of the user's own is started by the question."""


async def probe(table: Mapping[str, Any]) -> Probe:
    """Asks the libvirt that machines with these options use."""
    uri = ""
    try:
        uri = resolved_uri(table)
        tools.image_tool()
        async with asyncio.timeout(PATIENCE):
            handle = await reached(uri)
            try:
                version = await call(library_version, handle)
                missing, remedy = await call(_missing, handle, uri)
            finally:
                with contextlib.suppress(LibvirtError):
                    await call(handle.close)
    except TimeoutError:
        why = f"libvirt ({uri}) does not answer within {PATIENCE:g} s."
        return _unusable(why, "sudo systemctl restart libvirtd")
    except BoxwrightError as error:
        problem = error.problem
        return _unusable(" ".join(filter(None, (problem.what, problem.why))), problem.remedy)
    text = ".".join(map(str, version))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        remedy = f"install libvirt {oldest} or newer, e.g. from a newer release of your system"
        return _unusable(f"libvirt {text} is too old; {oldest} is the oldest that works.", remedy, text)
    host = acceleration.this_host()
    chosen = acceleration.choose("auto", host.architecture, host)
    return Probe(
        provider="libvirt",
        usable=True,
        version=text,
        why="; ".join(filter(None, (uri, f"acceleration: {chosen}", missing))),
        remedy=remedy,
        capabilities=tuple(sorted(CAPABILITIES)),
    )


def library_version(handle: Any) -> tuple[int, int, int]:
    bindings()
    number = handle.getLibVersion()
    return number // 1_000_000, number // 1000 % 1000, number % 1000


def _missing(handle: Any, uri: str) -> tuple[str, str]:
    """What is there only in part, and the command that mends it."""
    libvirt = bindings()
    if address.far_host(uri) is None and not address.is_session(uri) and not troubles.found("dnsmasq"):
        packages = {"debian": "dnsmasq-base", "fedora": "dnsmasq", "arch": "dnsmasq", "suse": "dnsmasq"}
        return "no networks, as dnsmasq is not installed", tools.install(packages)
    if address.far_host(uri) is None and not address.is_session(uri) and _kvm_is_roots():
        # libvirt then takes what it knows of QEMU for out of date, and asks it anew each time, for a minute.
        return (
            "slow, as /dev/kvm is for root alone",
            "sudo chown root:kvm /dev/kvm && sudo chmod 660 /dev/kvm",
        )
    try:
        default = handle.networkLookupByName("default")
    except libvirt.libvirtError:
        return "", ""
    if default.isActive():
        return "", ""
    return "its network default is not active", f"virsh -c '{uri}' net-start default"


def _kvm_is_roots() -> bool:
    try:
        return Path("/dev/kvm").stat().st_mode & 0o066 == 0
    except OSError:
        return False

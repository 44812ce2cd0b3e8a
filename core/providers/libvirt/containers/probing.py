"""Is libvirt's LXC driver usable on this computer?"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import BoxwrightError
from core.model.provider import Capability, Probe, unusable
from core.providers import tools
from core.providers.libvirt.connection import reached
from core.providers.libvirt.containers.options import default_uri
from core.providers.libvirt.library import LibvirtError, call
from core.providers.libvirt.probing import OLDEST, PATIENCE, library_version

CAPABILITIES = frozenset(
    {
        Capability.CLONE,
        Capability.NETWORKS,
        Capability.PORTS,
        Capability.SERIAL,
        Capability.STATS,
        Capability.SUSPEND,
    }
)
"""Neither snapshots nor disks besides the root: libvirt's driver has none."""

_unusable = partial(unusable, "lxc", CAPABILITIES)

_PACKAGES = {
    "debian": "libvirt-daemon-system libvirt-daemon-driver-lxc",
    "fedora": "libvirt-daemon-lxc",
    "suse": "libvirt-daemon-lxc",
}
_BOTH = Path("/sys/fs/cgroup/unified")


async def probe(table: Mapping[str, Any]) -> Probe:
    """Asks the libvirt that containers with these options use."""
    uri = str(table.get("uri") or default_uri())
    if os.geteuid() != 0:
        return _unusable("Only root may enter the namespaces of libvirt's containers.", 'provider = "docker"')
    try:
        async with asyncio.timeout(PATIENCE):
            handle = await reached(uri)
            try:
                version = await call(library_version, handle)
            finally:
                with contextlib.suppress(LibvirtError):
                    await call(handle.close)
    except TimeoutError:
        why = f"libvirt ({uri}) does not answer within {PATIENCE:g} s."
        return _unusable(why, "sudo systemctl restart libvirtd")
    except BoxwrightError as error:
        problem = error.problem
        remedy = problem.remedy
        if any(sign in problem.why for sign in ("no connection driver", "libvirt_driver_lxc", "virtlxcd")):
            remedy = tools.install(_PACKAGES) or remedy
        return _unusable(" ".join(filter(None, (problem.what, problem.why))), remedy)
    text = ".".join(map(str, version))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        remedy = f"install libvirt {oldest} or newer, e.g. from a newer release of your system"
        return _unusable(f"libvirt {text} is too old; {oldest} is the oldest that works.", remedy, text)
    return Probe(
        provider="lxc",
        usable=True,
        version=text,
        why=f"{uri}, containers of libvirt's",
        capabilities=tuple(sorted(CAPABILITIES)),
    )

"""Is VirtualBox usable on this computer?"""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Sequence
from functools import partial

from core.errors import BoxwrightError
from core.model.provider import Capability, Probe, unusable
from core.providers.virtualbox import host, troubles
from core.providers.virtualbox.bridge import Bridge
from core.providers.virtualbox.worker import versions

CAPABILITIES = frozenset(
    {
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.SNAPSHOT_MEMORY,
        Capability.CLONE,
        Capability.SERIAL,
        Capability.STATS,
        Capability.PORTS,
        Capability.EXTRA_DISKS,
        Capability.NETWORKS,
    }
)

_unusable = partial(unusable, "virtualbox", CAPABILITIES)

PATIENCE = 8.0
"""Seconds for VirtualBox's daemon, which is started by the question, to answer."""

GROUP = "vboxusers"
"""Who may use the host's USB devices in machines."""


async def probe(bridge: Bridge) -> Probe:
    try:
        async with asyncio.timeout(PATIENCE):
            ended = await host.manage("--version")
            version = versions.read(ended.output)
            if not version:
                why = f"VBoxManage does not say which version it is. {ended.errors.strip()[:300]}".strip()
                return _unusable(why, "VBoxManage --version, to see what is wrong")
            text = ".".join(map(str, version))
            if version < versions.OLDEST:
                why = f"VirtualBox {text} is too old; 6.1 is the oldest that works."
                return _unusable(why, "install VirtualBox 6.1 or newer", text)
            about = await bridge.ask("about")
    except TimeoutError:
        return _unusable(
            f"VirtualBox does not answer within {PATIENCE:g} s.", "end the process VBoxSVC, then try again"
        )
    except BoxwrightError as error:
        problem = error.problem
        return _unusable(" ".join(filter(None, (problem.what, problem.why))), problem.remedy)
    if troubles.module_missing():
        why = f"VirtualBox's kernel module is not loaded: {host.DEVICE} is not there, so no machine starts."
        return _unusable(why, troubles.module_remedy(), about["version"])
    return Probe(
        provider="virtualbox",
        usable=True,
        version=about["version"],
        why="; ".join(_remarks()),
        capabilities=tuple(sorted(CAPABILITIES)),
    )


def _remarks() -> Sequence[str]:
    if sys.platform != "linux" or _in_group():
        return ()
    return (f"you are not in the group {GROUP}, which only the use of USB devices needs: "
            f"sudo usermod -aG {GROUP} $USER",)  # fmt: skip


def _in_group() -> bool:
    import grp
    import os

    try:
        group = grp.getgrnam(GROUP)
    except KeyError:
        return True
    return os.geteuid() == 0 or group.gr_gid in os.getgroups() or getpass.getuser() in group.gr_mem

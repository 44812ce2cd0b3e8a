"""Is Docker usable here?"""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import BoxwrightError
from core.model.provider import Capability, Probe, unusable
from core.providers.docker import troubles
from core.providers.docker.address import Address, resolve
from core.providers.docker.daemon import Daemon
from core.providers.docker.options import read_options

CAPABILITIES = frozenset(
    {
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.CLONE,
        Capability.SERIAL,
        Capability.STATS,
        Capability.PORTS,
        Capability.NETWORKS,
    }
)

_unusable = partial(unusable, "docker", CAPABILITIES)

PATIENCE = 5.0


async def probe(table: Mapping[str, Any]) -> Probe:
    """Asks the daemon that machines with these options use."""
    version = ""
    try:
        options = read_options(table)
        address = resolve(options.host, options.certificates)
        daemon = Daemon(address)
        async with asyncio.timeout(PATIENCE):
            about = await daemon.about()
            version = str(about.get("Version", ""))
            await daemon.api()
    except TimeoutError:
        return _unusable(f"Docker ({address.url}) does not answer within {PATIENCE:g} s.",
                         "sudo systemctl restart docker")  # fmt: skip
    except BoxwrightError as error:
        problem = error.problem
        remedy = problem.remedy if table else _remedy(problem.remedy)
        return _unusable(" ".join(filter(None, (problem.what, problem.why))), remedy, version)
    return Probe(
        provider="docker",
        usable=True,
        version=version,
        why=f"{address.url}; containers for {about.get('Os', '?')}/{about.get('Arch', '?')}",
        capabilities=tuple(sorted(CAPABILITIES)),
    )


def _remedy(usual: str) -> str:
    """Where the local socket is missing because Docker is, the command that installs it; where one has
    joined the group since the last login, only that."""
    try:
        address = resolve()
    except BoxwrightError:
        return usual
    if address != Address(address.url) or address.scheme != "unix":
        return usual
    path = Path(address.socket)
    try:
        there = path.exists()
    except PermissionError:
        return usual
    if not there and not shutil.which("dockerd"):
        return troubles.install()
    if there and not os.access(path, os.W_OK) and _member(path):
        return "log out and in again (or: newgrp docker): you have joined the socket's group since"
    return usual


def _member(path: Path) -> bool:
    """Whether the user is listed in the group of the socket."""
    try:
        return os.environ.get("USER", "") in grp.getgrgid(path.stat().st_gid).gr_mem
    except (OSError, KeyError):
        return False

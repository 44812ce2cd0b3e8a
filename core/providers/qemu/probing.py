"""Is QEMU usable on this computer?"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

from core.errors import BoxwrightError
from core.model.provider import Capability, Probe, unusable
from core.providers import acceleration, tools
from core.providers.tools import OLDEST, install_command, parse_version

CAPABILITIES = frozenset(
    {
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.SNAPSHOT_MEMORY,
        Capability.CLONE,
        Capability.RECOVER,
        Capability.SERIAL,
        Capability.STATS,
        Capability.SCREEN,
        Capability.PORTS,
        Capability.EXTRA_DISKS,
        Capability.NETWORKS,
    }
)

_unusable = partial(unusable, "qemu", CAPABILITIES)

PATIENCE = 3.0
"""Seconds for ``qemu --version``, which takes some hundredths of one."""


class Prober:
    """Asks the emulator for its version once, and again only after the program changed."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], str] = {}

    async def probe(self) -> Probe:
        host = acceleration.this_host()
        architecture = host.architecture if host.architecture in ("x86_64", "aarch64") else "x86_64"
        try:
            emulator = tools.emulator(architecture)
            tools.image_tool()
        except BoxwrightError as error:
            return _unusable(error.problem.what, error.problem.remedy)
        remedy = install_command("emulator", architecture)
        try:
            said = await self._version(emulator)
        except (OSError, TimeoutError) as error:
            return _unusable(f"{emulator} cannot be run: {str(error) or 'it does not answer'}.", remedy)
        version = parse_version(said)
        text = ".".join(map(str, version))
        if not version:
            last = said.strip().splitlines()
            return _unusable(f"{emulator} does not work: {last[-1] if last else 'it says nothing'}", remedy)
        if version < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            return _unusable(f"QEMU {text} is too old; {oldest} is the oldest that works.", remedy, text)
        return Probe(
            provider="qemu",
            usable=True,
            version=text,
            why=f"acceleration: {acceleration.choose('auto', architecture, host)}",
            remedy=acceleration.remedy(architecture, host),
            capabilities=tuple(sorted(CAPABILITIES)),
        )

    async def _version(self, emulator: str) -> str:
        status = await asyncio.to_thread(os.stat, Path(emulator))
        key = (emulator, status.st_mtime_ns)
        if key not in self._versions:
            ended = await asyncio.wait_for(tools.run(emulator, "--version"), PATIENCE)
            if ended.status != 0:
                return ended.errors
            self._versions[key] = ended.output
        return self._versions[key]

"""The provisioner windows-restart: restarts the guest, and waits until it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from core.builds.provisioners import windows
from core.builds.provisioners.needs_guest import need_windows
from core.builds.scene import Scene
from core.builds.settings import Duration, Table, decode
from core.guests.base import Guest
from core.guests.errors import GuestError
from core.guests.winrm.powershell import BOOTED, encoded
from core.model.work import Work
from core.provisioners.base import ProvisionError
from core.templates.model import Settings

_PAUSE = 1.0


class RestartSettings(Table, frozen=True, kw_only=True):
    restart_command: str = 'shutdown /r /f /t 0 /c "Boxwright restarts this machine"'
    restart_check_command: str = ""
    restart_timeout: Duration = 300.0


class WindowsRestartProvisioner:
    kind: ClassVar[str] = "windows-restart"

    def check(self, settings: Settings, scene: Scene) -> None:
        _read(settings)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        return {}

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_windows(guest, self.kind, scene)
        before = await _booted(reached)
        # It may end the connection before it says how it ended.
        await windows.execute(given.restart_command, "the restart command", reached, work, disconnect=True)
        try:
            async with asyncio.timeout(given.restart_timeout or None):
                await _until_back(before, given.restart_check_command, reached, work)
        except TimeoutError:
            raise ProvisionError(
                f"The guest did not restart within {given.restart_timeout:g} s.",
                why="It answers, and started at the same time as before, or it does not answer.",
                remedy='look at "restart_command", or give it a longer "restart_timeout"',
            ) from None


async def _until_back(before: str, check: str, guest: Guest, work: Work) -> None:
    """The guest is another one than before when it says that it started at another time."""
    while True:
        work.note("waiting for the restart")
        try:
            if await _booted(guest) != before:
                break
        except (GuestError, ProvisionError):
            work.note("it does not answer")
        await asyncio.sleep(_PAUSE)
    while check:
        try:
            ran = await guest.run(check, stdout=work.write, stderr=work.write)
            if ran.status == 0:
                break
        except GuestError:
            work.note("it does not answer")
        await asyncio.sleep(_PAUSE)
    work.note("restarted")


async def _booted(guest: Guest) -> str:
    """When the guest started, as it says it. Raises GuestError, ProvisionError."""
    out = bytearray()
    ran = await guest.run(encoded(BOOTED), stdout=out.extend)
    said = bytes(out).decode("ascii", "replace").strip()
    if ran.status or not said:
        raise ProvisionError(
            "The guest does not say when it started.", why="PowerShell 3 or newer tells that."
        )
    return said


def _read(settings: Settings) -> RestartSettings:
    return decode(settings, RestartSettings, 'provisioner "windows-restart"')

"""Steps that only wait: sleep, and breakpoint, which waits for somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from core.builds.scene import Scene
from core.builds.settings import Duration, Table, decode
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class SleepSettings(Table, frozen=True, kw_only=True):
    duration: Duration = 5.0


class SleepProvisioner:
    kind: ClassVar[str] = "sleep"

    def check(self, settings: Settings, scene: Scene) -> None:
        decode(settings, SleepSettings, 'provisioner "sleep"')

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        return {}

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        seconds = decode(settings, SleepSettings, 'provisioner "sleep"').duration
        work.note(f"{seconds:g} s")
        await asyncio.sleep(seconds)

"""Steps that only wait: sleep, and breakpoint, which waits for somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from core.builds import asking
from core.builds.scene import Scene
from core.builds.settings import Duration, Table, decode
from core.errors import BoxwrightError
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


class BreakpointSettings(Table, frozen=True, kw_only=True):
    note: str = ""
    disable: bool = False


class BreakpointProvisioner:
    kind: ClassVar[str] = "breakpoint"

    def check(self, settings: Settings, scene: Scene) -> None:
        decode(settings, BreakpointSettings, 'provisioner "breakpoint"')

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        given = decode(settings, BreakpointSettings, 'provisioner "breakpoint"')
        return {} if given.disable else None

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = decode(settings, BreakpointSettings, 'provisioner "breakpoint"')
        if given.disable:
            work.skipped("it is disabled")
        elif scene.ask is None:
            work.skipped("nobody is there to go on")
        else:
            reach = scene.facts.get("reach", "")
            note = " ".join(part for part in (given.note, f"({reach})" if reach else "") if part)
            answer = await scene.ask(
                asking.before(note or "the build goes on from here", asking.way_in(guest)), work
            )
            if answer == asking.ABORT:
                raise BoxwrightError("The build was ended at a breakpoint, as asked.")

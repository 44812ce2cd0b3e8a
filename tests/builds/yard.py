"""Builds of templates for tests: a folder with a template, and what came of building it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

import core.boxes
from core.boxes.store import BoxStore
from core.builds import undo
from core.builds.asking import Ask
from core.builds.base import Request
from core.builds.project_builds import template_plan
from core.builds.run import Made, run_plan
from core.builds.scene import Show
from core.model.work import UndoTable
from core.paths import Locations
from core.templates.given import Given
from tests.support.waiting import until
from tests.support.work import RecordingWork


class Yard:
    """A home of Boxwright, and a folder in which templates are built."""

    def __init__(self, home: Path, provider: UndoTable | None = None) -> None:
        """``provider``: what takes back its machines, where builds use one."""
        self.undo = {**undo.UNDO, **core.boxes.UNDO, **(provider or {})}
        self.locations = Locations(data=home / "data", runtime=home / "run" / "x").prepare()
        self.store = BoxStore(self.locations.boxes)
        self.folder = home / "project"
        self.folder.mkdir(exist_ok=True)
        self.work = RecordingWork(self.undo)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    async def build(
        self,
        template: str | Path = ".",
        *,
        variables: Sequence[tuple[str, str]] = (),
        request: Request | None = None,
        ask: Ask | None = None,
        show: Show | None = None,
    ) -> tuple[Made, ...]:
        """What was made; what the build said is in ``work``."""
        self.work = RecordingWork(self.undo)
        given = Given(variables=tuple(variables), cwd=str(self.folder), clock=1e9)
        plan = await template_plan(self.folder / template, "yard", given, self.work)
        return await run_plan(
            plan,
            request or Request(),
            locations=self.locations,
            store=self.store,
            project="yard",
            work=self.work,
            ask=ask,
            show=show,
        )

    async def cancel_within(self, step: str, template: str = ".") -> None:
        """Build without the cache, and cancel it as soon as that step runs."""
        building = asyncio.create_task(self.build(template, request=Request(no_cache=True)))
        # The build has a work of its own once it has begun.
        await asyncio.sleep(0)
        await until(lambda: self.work.states.get(step) == "running", 120, pause=0)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building

    async def left(self) -> list[str]:
        """What is there after undoing: working folders, half layers, sockets, files beside their places."""
        await self.work.undo()
        found = [*self.locations.builds.glob("*"), *self.locations.layers.glob(".new-*")]
        found += [path for path in self.locations.runtime.glob("*") if path.is_dir()]
        found += list(self.folder.rglob(".*"))
        return [str(path) for path in found]

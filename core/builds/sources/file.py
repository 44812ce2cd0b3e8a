"""The file source: an artifact that is a file, for trying post-processors out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from core.boxes.threads import Stop, in_thread
from core.builds.artifact import Artifact
from core.builds.layer_keys import file_digest
from core.builds.output import claim, refuse_existing
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError, NotFoundError
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class FileSettings(Table, frozen=True, kw_only=True):
    target: str = ""
    source: str = ""
    content: str = ""


class FileSource:
    kind: ClassVar[str] = "file"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if not given.target:
            raise ConfigError('The source "file" needs "target", the file to write.')
        if given.source and given.content:
            raise ConfigError('The source "file" takes "source" or "content", not both.')
        if given.source and not scene.path(given.source).is_file():
            raise NotFoundError(f"There is no file {scene.path(given.source)}.")

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        refuse_existing(scene.path(_read(settings).target), force=scene.force)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        given = _read(settings)
        return {"content": file_digest(scene.path(given.source)) if given.source else given.content}

    def workshop(self, settings: Settings, scene: Scene) -> FileWorkshop:
        return FileWorkshop(_read(settings), scene)


def _read(settings: Settings) -> FileSettings:
    return decode(settings, FileSettings, 'source "file"')


class FileWorkshop:
    def __init__(self, settings: FileSettings, scene: Scene) -> None:
        self.guest: Guest | None = None
        self._settings = settings
        self._scene = scene

    async def open(self, layer: Path | None, work: Work) -> None:
        """Nothing has to be prepared."""

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        return False

    async def finish(self, work: Work) -> Artifact:
        target = self._scene.path(self._settings.target)
        async with (
            work.step("Write the file", detail=str(target)) as step,
            claim(target, self._scene, step) as beside,
        ):
            if self._settings.source:
                source = self._scene.path(self._settings.source)
                await in_thread(partial(shutil.copyfile, source, beside), Stop())
            else:
                beside.write_text(self._settings.content)
        return Artifact(maker="packer.file", id="File", files=(str(target),), text=f"stored in {target}")

    async def leave(self) -> bool:
        return False

    async def close(self) -> None:
        """Nothing is open."""

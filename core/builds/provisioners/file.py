"""The file provisioner: files and folders into the guest or out of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from core.builds.layer_keys import file_digest
from core.builds.provisioners.needs_guest import need_guest
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError, NotFoundError
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class FileSettings(Table, frozen=True, kw_only=True):
    source: str = ""
    sources: tuple[str, ...] = ()
    content: str = ""
    destination: str = ""
    direction: str = "upload"
    generated: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        return (self.source, *self.sources) if self.source else self.sources


class FileProvisioner:
    kind: ClassVar[str] = "file"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if given.direction not in ("upload", "download"):
            raise ConfigError(f'"direction" is {given.direction!r}; it is "upload" or "download".')
        if not given.destination:
            raise ConfigError('The provisioner "file" needs "destination".')
        if bool(given.named) == bool(given.content):
            raise ConfigError('The provisioner "file" needs one of source, sources and content.')
        if given.direction == "download" or given.generated:
            return
        for text in given.named:
            if not scene.path(text).exists():
                raise NotFoundError(
                    f"There is no {scene.path(text)} to put into the guest.",
                    why="Relative paths start at the folder in which the build is asked for.",
                )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        given = _read(settings)
        if given.direction == "download" or given.generated:
            return None
        return {text: file_digest(scene.path(text)) for text in given.named}

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_guest(guest, self.kind, scene)
        moved = partial(work.progress, unit="bytes")
        if given.content:
            path = scene.folder / "content"
            path.touch(mode=0o600)
            path.write_text(given.content)
            await reached.upload(path, given.destination, mode=0o644, transfer=moved)
            path.unlink()
            return
        for text in given.named:
            if given.direction == "download":
                target = scene.path(given.destination)
                if given.destination.endswith("/"):
                    target = target / text.rsplit("/", 1)[-1]
                target.parent.mkdir(parents=True, exist_ok=True)
                await reached.download(text, target, transfer=moved)
            else:
                await self._upload(text, given.destination, reached, scene, moved)

    async def _upload(
        self, text: str, destination: str, guest: Guest, scene: Scene, moved: partial[None]
    ) -> None:
        """As rsync and Packer have it: a folder's slash at the end means what is in it."""
        source = scene.path(text)
        if source.is_dir() and not text.endswith("/"):
            destination = f"{destination.rstrip('/')}/{source.name}"
        elif source.is_dir():
            destination = destination.rstrip("/")
        await guest.upload(source, destination, transfer=moved)


def _read(settings: Settings) -> FileSettings:
    return decode(settings, FileSettings, 'provisioner "file"')

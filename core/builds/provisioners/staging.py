"""A folder in the guest into which a step puts what it needs there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from core.builds.layer_keys import file_digest
from core.builds.scene import Scene
from core.errors import NotFoundError
from core.guests.base import Guest
from core.guests.quoting import quote
from core.model.work import Work


def check_paths(scene: Scene, **paths: str | tuple[str, ...]) -> None:
    """Raises NotFoundError for a file or folder of this computer that is not there; named by its setting."""
    for setting, texts in paths.items():
        for text in (texts,) if isinstance(texts, str) else texts:
            if text and not scene.path(text).exists():
                raise _absent(setting, scene.path(text))


def _absent(setting: str, path: Path) -> NotFoundError:
    return NotFoundError(
        f"There is no {path}.",
        why=f'"{setting}" names it. Relative paths start at the folder in which the build is asked for.',
        remedy=f"ls {path.parent}",
    )


def digests(scene: Scene, *paths: str | tuple[str, ...]) -> dict[str, str]:
    """A digest of each file or folder that goes into the guest, by its name."""
    found = {}
    for texts in paths:
        for text in (texts,) if isinstance(texts, str) else texts:
            if text:
                found[text] = file_digest(scene.path(text))
    return found


class Staging:
    """One such folder. ``make`` comes first; ``remove`` last, where it is to go."""

    def __init__(self, folder: str, guest: Guest, scene: Scene, work: Work) -> None:
        self.folder = folder.rstrip("/")
        self._guest = guest
        self._scene = scene
        self._moved = partial(work.progress, unit="bytes")

    async def make(self) -> None:
        await self._guest.run(f"mkdir -p {quote(self.folder)} && chmod 0700 {quote(self.folder)}")

    async def put(self, text: str, name: str = "") -> str:
        """A file or folder of this computer; returns its path in the guest. ``name``: below the folder."""
        source = self._scene.path(text)
        target = f"{self.folder}/{name or source.name}"
        await self._guest.upload(source, target, transfer=self._moved)
        return target

    async def put_all(self, texts: tuple[str, ...], below: str) -> list[str]:
        """Several, each in a folder of its own below ``below``, as two may have one name."""
        found = []
        for number, text in enumerate(texts):
            found.append(await self.put(text, f"{below}-{number}/{self._scene.path(text).name}"))
        return found

    async def write(self, name: str, content: str) -> str:
        """A text as a file that only the account can read; returns its path in the guest."""
        local = Path(self._scene.folder) / f"staged-{name}"
        local.touch(mode=0o600)
        local.write_text(content)
        try:
            await self._guest.upload(local, f"{self.folder}/{name}", mode=0o600)
        finally:
            local.unlink()
        return f"{self.folder}/{name}"

    async def remove(self) -> None:
        await self._guest.run(f"rm -rf {quote(self.folder)}")

"""Writes checksums of an artifact's files."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import ClassVar

from core.builds.artifact import Artifact, Outcome
from core.builds.output import claim, refuse_existing
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError
from core.model.work import Work
from core.templates.model import Settings

_KNOWN = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


class ChecksumSettings(Table, frozen=True, kw_only=True):
    checksum_types: tuple[str, ...] = ("md5",)
    output: str = "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum"


class ChecksumPostProcessor:
    kind: ClassVar[str] = "checksum"

    def check(self, settings: Settings, scene: Scene) -> None:
        for name in _read(settings).checksum_types:
            if name not in _KNOWN:
                raise ConfigError(f"There is no checksum {name!r}.", why=f"There is {', '.join(_KNOWN)}.")

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        for name in given.checksum_types:
            refuse_existing(_target(given, name, scene), force=scene.force)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        lines: dict[Path, list[str]] = {}
        """By file: one whose name does not tell the kinds apart has them one after the other."""
        for name in given.checksum_types:
            for file in artifact.files:
                digest = await asyncio.to_thread(_digest, Path(file), name)
                lines.setdefault(_target(given, name, scene), []).append(f"{digest}\t{Path(file).name}\n")
        for target, text in lines.items():
            async with claim(target, scene, work) as beside:
                beside.write_text("".join(text))
        written = [str(target) for target in lines]
        made = Artifact(
            maker="packer.post-processor.checksum",
            files=(*artifact.files, *written),
            text=", ".join(written),
            facts=artifact.facts,
        )
        return Outcome(artifact=made, keep=True, must_keep=True)


def _read(settings: Settings) -> ChecksumSettings:
    return decode(settings, ChecksumSettings, 'post-processor "checksum"')


def _target(given: ChecksumSettings, name: str, scene: Scene) -> Path:
    fields = {"BuildName": scene.source, "BuilderType": scene.kind, "ChecksumType": name}
    return scene.path(scene.render(given.output, **fields))


def _digest(path: Path, name: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()

"""Writes what was made into a JSON file, in Packer's form."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import time
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from core.builds.artifact import Artifact, Outcome
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import BoxwrightError, ConfigError
from core.model.work import Work
from core.templates.model import Settings


class ManifestSettings(Table, frozen=True, kw_only=True):
    output: str = "packer-manifest.json"
    strip_path: bool = False
    strip_time: bool = False
    custom_data: dict[str, str] = msgspec.field(default_factory=dict)


class ManifestPostProcessor:
    kind: ClassVar[str] = "manifest"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = decode(settings, ManifestSettings, 'post-processor "manifest"')
        if not given.output.endswith(".json"):
            raise ConfigError(f'The manifest\'s "output" is {given.output!r}; it has to end with .json.')

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = decode(settings, ManifestSettings, 'post-processor "manifest"')
        target = scene.path(given.output)
        entry = _entry(artifact, given, scene)
        await asyncio.to_thread(_add, target, entry, scene.facts.get("PackerRunUUID", ""))
        work.note(str(target))
        return Outcome(artifact=artifact, keep=True, must_keep=True)


def _entry(artifact: Artifact, given: ManifestSettings, scene: Scene) -> dict[str, Any]:
    files = []
    for file in artifact.files:
        path = Path(file)
        shown = path.name if given.strip_path else _short(path, scene)
        files.append({"name": shown, "size": path.stat().st_size})
    return {
        "name": scene.source,
        "builder_type": scene.kind,
        "build_time": 0 if given.strip_time else int(time.time()),
        "files": files or None,
        "artifact_id": artifact.id,
        "packer_run_uuid": scene.facts.get("PackerRunUUID", ""),
        # A file that others read is no place for a secret.
        "custom_data": {key: scene.hide(value) for key, value in given.custom_data.items()} or None,
    }


def _short(path: Path, scene: Scene) -> str:
    """As the template names it: relative to where the build was asked for."""
    cwd = Path(scene.world.cwd)
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def _add(target: Path, entry: dict[str, Any], run: str) -> None:
    """Add an entry to those that are there; several builds may do so at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        document: dict[str, Any] = {"builds": []}
        if target.exists():
            try:
                document = msgspec.json.decode(target.read_bytes(), type=dict[str, Any])
                document["builds"] = list(document.get("builds") or [])
            except (msgspec.MsgspecError, TypeError) as error:
                raise BoxwrightError(
                    f"{target} is no manifest.", why=f"{error}.", remedy=f"rm {target}"
                ) from error
        document["builds"].append(entry)
        document["last_run_uuid"] = run
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
        beside.replace(target)
    finally:
        os.close(descriptor)

"""A provisioner of machines as a step of a build: what ``[[builds.NAME.provision]]`` declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from core.builds.scene import Scene
from core.guests.base import Guest
from core.model.project import Provision
from core.model.work import Work
from core.provisioners.registry import provisioner
from core.templates.model import Settings


class MachineStep:
    kind: ClassVar[str] = "provision"

    def check(self, settings: Settings, scene: Scene) -> None:
        declared = _read(settings)
        provisioner(declared.kind).check(declared, Path(scene.world.root))

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        declared = _read(settings)
        digest = provisioner(declared.kind).inputs(declared, Path(scene.world.root)).hex()
        return {declared.script or declared.file or "its command": digest}

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        assert guest is not None
        declared = _read(settings)
        root = Path(scene.world.root)
        await provisioner(declared.kind).run(declared, guest, project_root=root, work=work)


def _read(settings: Settings) -> Provision:
    return msgspec.convert(settings, Provision)

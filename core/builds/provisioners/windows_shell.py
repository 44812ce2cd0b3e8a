"""The provisioner windows-shell: batch files, as Packer runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.builds.provisioners import scripts, windows
from core.builds.provisioners.needs_guest import need_windows
from core.builds.scene import Scene
from core.builds.settings import decode
from core.errors import ConfigError
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings

_COMMAND = '{{.Vars}}"{{.Path}}"'


class WindowsShellSettings(windows.WindowsScripts, frozen=True, kw_only=True):
    """As Packer has them."""


class WindowsShellProvisioner:
    kind: ClassVar[str] = "windows-shell"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        scripts.check_named(given, self.kind, scene)
        for name, value in scripts.variables(given).items():
            if any(letter in value for letter in '"\r\n'):
                raise ConfigError(
                    f"The variable {name} cannot be given to cmd.",
                    why="Its value has a quote or a line break, which cmd has no way to write.",
                    remedy="use the provisioner powershell",
                )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        return scripts.facts(_read(settings), scene)

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_windows(guest, self.kind, scene)
        values = scripts.with_packers(given, scene)
        named = "".join(f'set "{name}={value}" && ' for name, value in values.items())
        for path, called in windows.written(given, scene, ".bat", ("@echo off",)):
            target = given.remote_path or windows.new_path(".bat")
            template = " ".join(given.execute_command) or _COMMAND
            command = scene.render(template, Path=target, Vars=named)
            async with windows.put(path, target, called, given, reached):
                await windows.execute(
                    command, f"the script {called}", reached, work, allowed=given.valid_exit_codes
                )
            await windows.pause(given)


def _read(settings: Settings) -> WindowsShellSettings:
    return decode(settings, WindowsShellSettings, 'provisioner "windows-shell"')

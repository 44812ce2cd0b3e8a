"""The provisioner powershell: scripts of PowerShell, as Packer runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.builds.provisioners import scripts, windows
from core.builds.provisioners.needs_guest import need_windows
from core.builds.scene import Scene
from core.builds.settings import decode
from core.errors import ConfigError
from core.guests.base import Guest
from core.guests.winrm.powershell import quote
from core.model.work import Work
from core.templates.model import Settings

_COMMAND = (
    "{program} -NoProfile -ExecutionPolicy {policy} \"& {{ $ProgressPreference = 'SilentlyContinue'; "
    ". {{{{.Vars}}}}; &'{{{{.Path}}}}'; exit $LastExitCode }}\""
)
POLICIES = ("bypass", "allsigned", "default", "remotesigned", "restricted", "undefined", "unrestricted")


class PowershellSettings(windows.WindowsScripts, frozen=True, kw_only=True):
    execution_policy: str = "bypass"
    use_pwsh: bool = False
    remote_env_var_path: str = ""
    elevated_user: str = ""
    elevated_password: str = ""
    elevated_execute_command: str = ""


class PowershellProvisioner:
    kind: ClassVar[str] = "powershell"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        scripts.check_named(given, self.kind, scene)
        if given.elevated_user or given.elevated_password or given.elevated_execute_command:
            raise ConfigError(
                'The provisioner "powershell" does not support "elevated_user" and what belongs to it.',
                why="It takes a scheduled task of Windows, which no stand-in can show to be right.",
                remedy="log in as an administrator: what runs over WinRM is elevated for the account",
            )
        if given.execution_policy.lower() not in POLICIES:
            raise ConfigError(
                f'"execution_policy" is {given.execution_policy!r}; it is one of {", ".join(POLICIES)}.'
            )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        return scripts.facts(_read(settings), scene)

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_windows(guest, self.kind, scene)
        start = ("$ErrorActionPreference = 'Stop'",)
        for path, called in windows.written(given, scene, ".ps1", start):
            target = given.remote_path or windows.new_path(".ps1")
            await windows.put(path, target, called, given, reached)
            variables = given.remote_env_var_path or windows.new_path("-variables.ps1")
            await _put_variables(variables, given, reached, scene)
            program = "pwsh" if given.use_pwsh else "powershell"
            usual = _COMMAND.format(program=program, policy=given.execution_policy)
            template = " ".join(given.execute_command) or usual
            command = scene.render(template, Path=target, Vars=variables)
            await windows.execute(
                command, f"the script {called}", reached, work, allowed=given.valid_exit_codes
            )
            await windows.clean(given, reached, target, variables)


async def _put_variables(target: str, given: PowershellSettings, guest: Guest, scene: Scene) -> None:
    """By a file, so that they are no arguments of a process."""
    values = scripts.with_packers(given, scene)
    text = "".join(f"$env:{name} = {quote(value)}\r\n" for name, value in values.items())
    file = scene.folder / "variables.ps1"
    file.touch(mode=0o600)
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    try:
        await windows.put(file, target, "the file of variables", given, guest)
    finally:
        file.unlink()


def _read(settings: Settings) -> PowershellSettings:
    return decode(settings, PowershellSettings, 'provisioner "powershell"')

"""The provisioner powershell: scripts of PowerShell, as Packer runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

from core.builds.provisioners import elevated, scripts, windows
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
        if (given.elevated_password or given.elevated_execute_command) and not given.elevated_user:
            raise ConfigError(
                '"elevated_password" and "elevated_execute_command" need "elevated_user".',
                why="Without it, the script runs as the account that is logged in.",
                remedy='elevated_user = "SYSTEM", or another account with its password',
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
            variables = given.remote_env_var_path or windows.new_path("-variables.ps1")
            async with (
                windows.put(path, target, called, given, reached),
                _variables(variables, given, reached, scene),
            ):
                await _execute(given, target, variables, f"the script {called}", reached, scene, work)
            await windows.pause(given)


async def _execute(
    given: PowershellSettings,
    target: str,
    variables: str,
    called: str,
    guest: Guest,
    scene: Scene,
    work: Work,
) -> None:
    program = "pwsh" if given.use_pwsh else "powershell"
    usual = _COMMAND.format(program=program, policy=given.execution_policy)
    wanted = (given.elevated_execute_command,) if given.elevated_user else given.execute_command
    command = scene.render(" ".join(wanted) or usual, Path=target, Vars=variables)
    allowed = given.valid_exit_codes
    if given.elevated_user:
        user, password = given.elevated_user, given.elevated_password
        await elevated.execute(command, user, password, called, guest, work, allowed=allowed)
    else:
        await windows.execute(command, called, guest, work, allowed=allowed)


@asynccontextmanager
async def _variables(
    target: str, given: PowershellSettings, guest: Guest, scene: Scene
) -> AsyncIterator[None]:
    """By a file, so that they are no arguments of a process."""
    values = scripts.with_packers(given, scene)
    text = "".join(f"$env:{name} = {quote(value)}\r\n" for name, value in values.items())
    file = scene.folder / "variables.ps1"
    file.touch(mode=0o600)
    try:
        file.write_bytes(b"\xef\xbb\xbf" + text.encode())
        async with windows.put(file, target, "the file of variables", given, guest):
            file.unlink()
            yield
    finally:
        file.unlink(missing_ok=True)


def _read(settings: Settings) -> PowershellSettings:
    return decode(settings, PowershellSettings, 'provisioner "powershell"')

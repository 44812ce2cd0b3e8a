"""The shell provisioner: scripts in the guest, as Packer runs them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from core.builds.provisioners import scripts
from core.builds.provisioners.commands import execute, take_away
from core.builds.provisioners.needs_guest import need_unix
from core.builds.scene import Scene
from core.builds.settings import Duration, decode
from core.guests.base import Guest
from core.guests.quoting import quote
from core.model.work import Work
from core.provisioners.base import ProvisionError
from core.provisioners.script import normalise
from core.templates.model import Settings

_COMMAND = "chmod +x {{.Path}}; {{.Vars}} {{.Path}}"
_COMMAND_WITH_FILE = "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}"


class ShellSettings(scripts.Scripts, frozen=True, kw_only=True):
    remote_folder: str = "/tmp"
    remote_file: str = ""
    remote_path: str = ""
    skip_clean: bool = False
    expect_disconnect: bool = False
    start_retry_timeout: Duration = 300.0
    pause_after: Duration = 0.0


class ShellProvisioner:
    kind: ClassVar[str] = "shell"

    def check(self, settings: Settings, scene: Scene) -> None:
        scripts.check(_read(settings), self.kind, scene)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        return scripts.facts(_read(settings), scene)

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_unix(guest, self.kind, scene)
        for path, called in scripts.written(given, scene):
            await _run(given, path, called, reached, scene, work)
        if given.pause_after:
            await asyncio.sleep(given.pause_after)


def _read(settings: Settings) -> ShellSettings:
    return decode(settings, ShellSettings, 'provisioner "shell"')


def _normal(path: Path) -> bytes:
    return normalise(path.read_bytes())


async def _run(given: ShellSettings, path: Path, called: str, guest: Guest, scene: Scene, work: Work) -> None:
    token = secrets.token_hex(4)
    target = given.remote_path or f"{given.remote_folder}/{given.remote_file or f'script_{token}.sh'}"
    variables = f"{given.remote_folder}/varfile_{token}.sh" if given.use_env_var_file else ""
    clean = "" if given.skip_clean else f"rm -f {quote(target)} {quote(variables) if variables else ''}"
    there = True
    try:
        await _put(given, path, called, target, variables, guest, scene)
        template = " ".join(given.execute_command) or (_COMMAND_WITH_FILE if variables else _COMMAND)
        named = scripts.assignments(scripts.with_packers(given, scene), given.env_var_format)
        there = await execute(
            scene.render(template, Path=target, Vars=named, EnvVarFile=variables),
            f"the script {called}",
            guest,
            work,
            allowed=given.valid_exit_codes,
            disconnect=given.expect_disconnect,
            last=clean,
        )
    finally:
        if clean and there:
            await take_away(guest, clean)


async def _put(
    given: ShellSettings, path: Path, called: str, target: str, variables: str, guest: Guest, scene: Scene
) -> None:
    """The script, and its file of variables where ``variables`` names one. Raises ProvisionError where they
    do not get there in time."""
    sent = path
    if not given.binary:
        sent = scene.folder / f"script-{secrets.token_hex(4)}"
        sent.write_bytes(await asyncio.to_thread(_normal, path))
    try:
        async with asyncio.timeout(given.start_retry_timeout or None):
            await guest.upload(sent, target, mode=0o755)
            if variables:
                values = scripts.with_packers(given, scene)
                text = scripts.assignments(values, given.env_var_format, "export {}={}\n")
                await _send_variables(variables, text, guest, scene)
    except TimeoutError:
        raise ProvisionError(
            f"The script {called} could not be put into the guest within {given.start_retry_timeout:g} s."
        ) from None
    finally:
        if sent is not path:
            sent.unlink(missing_ok=True)


async def _send_variables(target: str, text: str, guest: Guest, scene: Scene) -> None:
    file = scene.folder / "variables.sh"
    file.touch(mode=0o600)
    file.write_text(text)
    try:
        await guest.upload(file, target, mode=0o600)
    finally:
        file.unlink()

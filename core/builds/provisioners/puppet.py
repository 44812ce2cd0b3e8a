"""The puppet-masterless provisioner: manifests that the guest's own Puppet applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from core.builds.provisioners.commands import execute
from core.builds.provisioners.needs_guest import need_unix
from core.builds.provisioners.staging import Staging, check_paths, digests
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError
from core.guests.base import Guest
from core.guests.quoting import quote
from core.model.work import Work
from core.templates.model import Settings

_COMMAND = (
    "cd {{.WorkingDir}} && {{.FacterVars}}{{if .Sudo}}sudo -E {{end}}"
    '{{if ne .PuppetBinDir ""}}{{.PuppetBinDir}}/{{end}}puppet apply --detailed-exitcodes '
    "{{if .Debug}}--debug {{end}}"
    """{{if ne .ModulePath ""}}--modulepath='{{.ModulePath}}' {{end}}"""
    """{{if ne .HieraConfigPath ""}}--hiera_config='{{.HieraConfigPath}}' {{end}}"""
    """{{if ne .ManifestDir ""}}--manifestdir='{{.ManifestDir}}' {{end}}"""
    """{{if ne .ExtraArguments ""}}{{.ExtraArguments}} {{end}}{{.ManifestFile}}"""
)
_CHANGED = 2
"""With --detailed-exitcodes: there were changes, and all of them succeeded."""


class PuppetSettings(Table, frozen=True, kw_only=True):
    manifest_file: str = ""
    manifest_dir: str = ""
    module_paths: tuple[str, ...] = ()
    hiera_config_path: str = ""
    facter: dict[str, str] = msgspec.field(default_factory=dict)
    extra_arguments: tuple[str, ...] = ()
    execute_command: str = _COMMAND
    ignore_exit_codes: bool = False
    prevent_sudo: bool = False
    puppet_bin_dir: str = ""
    staging_directory: str = "/tmp/packer-puppet-masterless"
    staging_dir: str = ""
    working_directory: str = ""
    clean_staging_directory: bool = False
    guest_os_type: str = "unix"


class PuppetProvisioner:
    kind: ClassVar[str] = "puppet-masterless"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if not given.manifest_file:
            raise ConfigError('The provisioner "puppet-masterless" needs "manifest_file".')
        if given.guest_os_type != "unix":
            raise ConfigError(
                f'"guest_os_type" is {given.guest_os_type!r}; Puppet is run in "unix" guests only.'
            )
        check_paths(
            scene,
            manifest_file=given.manifest_file,
            manifest_dir=given.manifest_dir,
            module_paths=given.module_paths,
            hiera_config_path=given.hiera_config_path,
        )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        given = _read(settings)
        return digests(
            scene, given.manifest_file, given.manifest_dir, given.module_paths, given.hiera_config_path
        )

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_unix(guest, self.kind, scene)
        staging = Staging(given.staging_dir or given.staging_directory, reached, scene, work)
        await staging.make()
        manifests = await staging.put(given.manifest_dir, "manifests") if given.manifest_dir else ""
        modules = await staging.put_all(given.module_paths, "modules")
        hiera = await staging.put(given.hiera_config_path) if given.hiera_config_path else ""
        manifest = await staging.put(given.manifest_file, f"manifest/{scene.path(given.manifest_file).name}")
        command = scene.render(
            given.execute_command,
            WorkingDir=given.working_directory or staging.folder,
            FacterVars="".join(f"{name}={quote(value)} " for name, value in _facter(given, scene).items()),
            Sudo=not given.prevent_sudo,
            PuppetBinDir=given.puppet_bin_dir,
            Debug=False,
            ModulePath=":".join(modules),
            HieraConfigPath=hiera,
            ManifestDir=manifests,
            ExtraArguments=" ".join(given.extra_arguments),
            ManifestFile=manifest,
        )
        allowed = range(256) if given.ignore_exit_codes else (0, _CHANGED)
        await execute(command, f"the manifest {given.manifest_file}", reached, work, allowed=allowed)
        if given.clean_staging_directory:
            await staging.remove()


def _read(settings: Settings) -> PuppetSettings:
    return decode(settings, PuppetSettings, 'provisioner "puppet-masterless"')


def _facter(given: PuppetSettings, scene: Scene) -> dict[str, str]:
    """Facts from the environment: ours, then the user's."""
    facts = {"packer_build_name": scene.source, "packer_builder_type": scene.kind, **given.facter}
    return {f"FACTER_{name}": value for name, value in facts.items()}

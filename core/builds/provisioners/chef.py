"""The chef-solo provisioner: recipes that the guest's own Chef runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from core.builds.provisioners.commands import execute
from core.builds.provisioners.needs_guest import need_unix
from core.builds.provisioners.staging import Staging, check_paths, digests
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings

_COMMAND = "{{if .Sudo}}sudo {{end}}chef-solo --no-color -c {{.ConfigPath}} -j {{.JsonPath}}"
_INSTALL = (
    "curl -fsSL https://omnitruck.chef.io/install.sh | {{if .Sudo}}sudo {{end}}bash -s --"
    '{{if ne .Version ""}} -v {{.Version}}{{end}}'
)


class ChefSettings(Table, frozen=True, kw_only=True):
    cookbook_paths: tuple[str, ...] = ()
    remote_cookbook_paths: tuple[str, ...] = ()
    roles_path: str = ""
    data_bags_path: str = ""
    environments_path: str = ""
    encrypted_data_bag_secret_path: str = ""
    chef_environment: str = ""
    chef_license: str = ""
    config_template: str = ""
    run_list: tuple[str, ...] = ()
    json: dict[str, Any] = msgspec.field(default_factory=dict)
    execute_command: str = _COMMAND
    install_command: str = _INSTALL
    skip_install: bool = False
    prevent_sudo: bool = False
    staging_directory: str = "/tmp/packer-chef-solo"
    version: str = ""
    guest_os_type: str = "unix"


class ChefProvisioner:
    kind: ClassVar[str] = "chef-solo"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if given.guest_os_type != "unix":
            raise ConfigError(
                f'"guest_os_type" is {given.guest_os_type!r}; Chef is run in "unix" guests only.'
            )
        if given.chef_environment and not given.environments_path:
            raise ConfigError('"chef_environment" needs "environments_path".')
        check_paths(
            scene,
            cookbook_paths=given.cookbook_paths,
            roles_path=given.roles_path,
            data_bags_path=given.data_bags_path,
            environments_path=given.environments_path,
            encrypted_data_bag_secret_path=given.encrypted_data_bag_secret_path,
            config_template=given.config_template,
        )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        given = _read(settings)
        return digests(
            scene, given.cookbook_paths, given.roles_path, given.data_bags_path, given.environments_path,
            given.encrypted_data_bag_secret_path, given.config_template,
        )  # fmt: skip

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_unix(guest, self.kind, scene)
        sudo = not given.prevent_sudo
        if not given.skip_install:
            command = scene.render(given.install_command, Sudo=sudo, Version=given.version)
            there = await reached.run("command -v chef-solo >/dev/null 2>&1")
            if there.status:
                await execute(command, "the installation of Chef", reached, work)
        staging = Staging(given.staging_directory, reached, scene, work)
        await staging.make()
        places = await _put(given, staging)
        config = await staging.write("solo.rb", _config(given, places, scene))
        attributes = {**given.json, **({"run_list": list(given.run_list)} if given.run_list else {})}
        json = await staging.write("node.json", msgspec.json.encode(attributes).decode())
        command = scene.render(given.execute_command, Sudo=sudo, ConfigPath=config, JsonPath=json)
        await execute(command, "chef-solo", reached, work)


def _read(settings: Settings) -> ChefSettings:
    return decode(settings, ChefSettings, 'provisioner "chef-solo"')


async def _put(given: ChefSettings, staging: Staging) -> dict[str, list[str]]:
    """Where everything lies in the guest, by what ``solo.rb`` calls it."""
    places = {"cookbook_path": [*given.remote_cookbook_paths]}
    places["cookbook_path"] += await staging.put_all(given.cookbook_paths, "cookbooks")
    for name, text in (
        ("role_path", given.roles_path),
        ("data_bag_path", given.data_bags_path),
        ("environment_path", given.environments_path),
        ("encrypted_data_bag_secret", given.encrypted_data_bag_secret_path),
    ):
        if text:
            places[name] = [await staging.put(text, name)]
    return places


def _config(given: ChefSettings, places: Mapping[str, list[str]], scene: Scene) -> str:
    if given.config_template:
        return scene.render(
            scene.path(given.config_template).read_text(),
            CookbookPaths=", ".join(f'"{path}"' for path in places["cookbook_path"]),
            RolesPath=_first(places, "role_path"),
            DataBagsPath=_first(places, "data_bag_path"),
            EnvironmentsPath=_first(places, "environment_path"),
            EncryptedDataBagSecretPath=_first(places, "encrypted_data_bag_secret"),
            ChefEnvironment=given.chef_environment,
            ChefLicense=given.chef_license,
            HasRolesPath="role_path" in places,
            HasDataBagsPath="data_bag_path" in places,
            HasEnvironmentsPath="environment_path" in places,
            HasEncryptedDataBagSecretPath="encrypted_data_bag_secret" in places,
        )
    lines = [f"cookbook_path [{', '.join(_ruby(path) for path in places['cookbook_path'])}]"]
    lines += [f"{name} {_ruby(paths[0])}" for name, paths in places.items() if name != "cookbook_path"]
    if given.chef_environment:
        lines.append(f"environment {_ruby(given.chef_environment)}")
    if given.chef_license:
        lines.append(f"chef_license {_ruby(given.chef_license)}")
    return "\n".join(lines) + "\n"


def _first(places: Mapping[str, list[str]], name: str) -> str:
    return next(iter(places.get(name, ())), "")


def _ruby(text: str) -> str:
    """A text in single quotes, in which nothing is worked out."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

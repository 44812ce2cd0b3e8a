"""The ansible-local provisioner: playbooks that run in the guest, with the Ansible that is there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import ClassVar

from core.builds.provisioners.commands import execute, need_program
from core.builds.provisioners.needs_guest import need_unix
from core.builds.provisioners.staging import Staging, check_paths, digests
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError
from core.guests.base import Guest
from core.guests.quoting import quote
from core.model.work import Work
from core.templates.model import Settings

_COMMAND = "ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook"


class AnsibleLocalSettings(Table, frozen=True, kw_only=True):
    command: str = _COMMAND
    playbook_file: str = ""
    playbook_files: tuple[str, ...] = ()
    playbook_dir: str = ""
    playbook_paths: tuple[str, ...] = ()
    role_paths: tuple[str, ...] = ()
    collection_paths: tuple[str, ...] = ()
    group_vars: str = ""
    host_vars: str = ""
    extra_arguments: tuple[str, ...] = ()
    inventory_file: str = ""
    inventory_groups: tuple[str, ...] = ()
    galaxy_file: str = ""
    galaxy_command: str = "ansible-galaxy"
    galaxy_roles_path: str = ""
    galaxy_collections_path: str = ""
    staging_directory: str = ""
    clean_staging_directory: bool = False

    @property
    def playbooks(self) -> tuple[str, ...]:
        return (self.playbook_file,) if self.playbook_file else self.playbook_files


class AnsibleLocalProvisioner:
    kind: ClassVar[str] = "ansible-local"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if bool(given.playbook_file) == bool(given.playbook_files):
            raise ConfigError(
                'The provisioner "ansible-local" needs one of playbook_file and playbook_files.'
            )
        check_paths(
            scene,
            playbook_file=given.playbooks,
            playbook_dir=given.playbook_dir,
            playbook_paths=given.playbook_paths,
            role_paths=given.role_paths,
            collection_paths=given.collection_paths,
            group_vars=given.group_vars,
            host_vars=given.host_vars,
            inventory_file=given.inventory_file,
            galaxy_file=given.galaxy_file,
        )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        given = _read(settings)
        return digests(
            scene,
            given.playbooks,
            given.playbook_dir,
            given.playbook_paths,
            given.role_paths,
            given.collection_paths,
            given.group_vars,
            given.host_vars,
            given.inventory_file,
            given.galaxy_file,
        )

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_unix(guest, self.kind, scene)
        if given.command == _COMMAND:
            await need_program(
                "ansible-playbook",
                reached,
                remedy="install Ansible in a step before: apt-get install -y ansible",
            )
        folder = given.staging_directory or f"/tmp/boxwright-ansible-{secrets.token_hex(6)}"
        staging = Staging(folder, reached, scene, work)
        await staging.make()
        await _put(given, staging)
        inventory = await _inventory(given, staging)
        if given.galaxy_file:
            await _galaxy(given, staging, reached, work)
        for playbook in given.playbooks:
            path = await staging.put(playbook)
            await execute(
                _line(given, scene, staging.folder, path, inventory),
                f"the playbook {playbook}",
                reached,
                work,
            )
        if given.clean_staging_directory or not given.staging_directory:
            await staging.remove()


def _read(settings: Settings) -> AnsibleLocalSettings:
    return decode(settings, AnsibleLocalSettings, 'provisioner "ansible-local"')


async def _put(given: AnsibleLocalSettings, staging: Staging) -> None:
    if given.playbook_dir:
        await staging.put(given.playbook_dir.rstrip("/") + "/.", ".")
    for text in given.playbook_paths:
        await staging.put(text)
    for text in given.role_paths:
        await staging.put(text, f"roles/{text.rstrip('/').rpartition('/')[2]}")
    for text in given.collection_paths:
        await staging.put(text, f"collections/{text.rstrip('/').rpartition('/')[2]}")
    if given.group_vars:
        await staging.put(given.group_vars, "group_vars")
    if given.host_vars:
        await staging.put(given.host_vars, "host_vars")


async def _inventory(given: AnsibleLocalSettings, staging: Staging) -> str:
    if given.inventory_file:
        return await staging.put(given.inventory_file)
    lines = ["127.0.0.1"]
    for group in given.inventory_groups:
        lines += [f"[{group}]", "127.0.0.1"]
    return await staging.write("boxwright-inventory", "\n".join(lines) + "\n")


async def _galaxy(given: AnsibleLocalSettings, staging: Staging, guest: Guest, work: Work) -> None:
    path = quote(await staging.put(given.galaxy_file))
    enter = f"cd {quote(staging.folder)} && {given.galaxy_command}"
    roles = quote(_galaxy_roles(given, staging.folder))
    await execute(f"{enter} install -r {path} -p {roles}", "ansible-galaxy", guest, work)
    if given.galaxy_collections_path:
        collections = quote(given.galaxy_collections_path)
        command = f"{enter} collection install -r {path} -p {collections}"
        await execute(command, "ansible-galaxy", guest, work)


def _galaxy_roles(given: AnsibleLocalSettings, folder: str) -> str:
    return given.galaxy_roles_path or f"{folder}/galaxy_roles"


def _line(given: AnsibleLocalSettings, scene: Scene, folder: str, playbook: str, inventory: str) -> str:
    values = {"packer_build_name": scene.source, "packer_builder_type": scene.kind}
    if scene.facts.get("PackerHTTPAddr"):
        values["packer_http_addr"] = scene.facts["PackerHTTPAddr"]
    variables = " ".join(f"{name}={value}" for name, value in values.items())
    exported = ""
    if given.galaxy_file:
        exported = f"export ANSIBLE_ROLES_PATH={quote(f'{folder}/roles:{_galaxy_roles(given, folder)}')}; "
    return (
        f"cd {quote(folder)} && {exported}{given.command} {quote(playbook)} --extra-vars {quote(variables)} "
        f"{' '.join(given.extra_arguments)} -c local -i {quote(inventory)}"
    )

"""The ansible provisioner: playbooks on this computer, which reach the guest over SSH.

Packer puts a proxy between Ansible and the guest; here Ansible reaches the guest directly, as its key and its
host key are known. What sets Packer's proxy up therefore means nothing here, and the step says so.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from core.builds.process import run_guarded
from core.builds.provisioners.needs_guest import need_unix
from core.builds.provisioners.staging import check_paths
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.builds.tools import Tool, need
from core.errors import ConfigError
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings
from core.undo import SHARED

_PACKAGE = "ansible"
DOCKER = Tool("docker", "docker.io")
"""By which Ansible enters containers."""


class AnsibleSettings(Table, frozen=True, kw_only=True):
    playbook_file: str = ""
    command: str = "ansible-playbook"
    extra_arguments: tuple[str, ...] = ()
    ansible_env_vars: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    empty_groups: tuple[str, ...] = ()
    host_alias: str = "default"
    user: str = ""
    limit: str = ""
    inventory_file: str = ""
    inventory_directory: str = ""
    inventory_file_template: str = ""
    keep_inventory_file: bool = False
    galaxy_file: str = ""
    galaxy_command: str = "ansible-galaxy"
    galaxy_force_install: bool = False
    galaxy_force_with_deps: bool = False
    roles_path: str = ""
    collections_path: str = ""
    skip_version_check: bool = False
    """Read, not needed: no version of Ansible is refused."""
    use_proxy: bool = False
    local_port: int = 0
    sftp_command: str = ""
    use_sftp: bool = False
    ssh_host_key_file: str = ""
    ssh_authorized_key_file: str = ""
    ansible_proxy_key_type: str = ""
    ansible_proxy_host: str = ""
    ansible_ssh_extra_args: tuple[str, ...] = ()

    @property
    def of_the_proxy(self) -> list[str]:
        """Settings of Packer's proxy that were given."""
        names = (
            "use_proxy", "local_port", "sftp_command", "use_sftp", "ssh_host_key_file",
            "ssh_authorized_key_file", "ansible_proxy_key_type", "ansible_proxy_host",
        )  # fmt: skip
        return [name for name in names if getattr(self, name)]


class AnsibleProvisioner:
    kind: ClassVar[str] = "ansible"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if not given.playbook_file:
            raise ConfigError('The provisioner "ansible" needs "playbook_file".')
        check_paths(
            scene,
            playbook_file=given.playbook_file,
            inventory_file=given.inventory_file,
            inventory_directory=given.inventory_directory,
            galaxy_file=given.galaxy_file,
        )
        for text in given.ansible_env_vars:
            if "=" not in text:
                raise ConfigError(f'"ansible_env_vars" has {text!r}; each is NAME=VALUE.')
        need(Tool(given.command, _PACKAGE))

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        # Roles, variables and plug-ins come from all over this computer.
        return None

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        need_unix(guest, self.kind, scene)
        if scene.facts.get("ConnType") == "docker":
            need(DOCKER)
        if given.of_the_proxy:
            work.note(
                f"reached directly: {', '.join(given.of_the_proxy)} of Packer's proxy means nothing here"
            )
        # Sockets need a short path, which the build's folder may not have.
        sockets = scene.locations.runtime / f"ansible-{secrets.token_hex(4)}"
        promise = work.intend("path", path=str(sockets))
        try:
            await self._play(given, scene, _environment(given, scene, sockets), work)
        finally:
            await SHARED["path"]({"path": str(sockets)})
            promise.settle()

    async def _play(
        self, given: AnsibleSettings, scene: Scene, environment: Mapping[str, str], work: Work
    ) -> None:
        if given.galaxy_file:
            await _galaxy(given, scene, environment, work)
        inventory = await asyncio.to_thread(_inventory, given, scene)
        words = [
            need(Tool(given.command, _PACKAGE)),
            "-e", f"packer_build_name={scene.source}",
            "-e", f"packer_builder_type={scene.kind}",
            "-i", inventory,
            *(["-l", given.limit] if given.limit else []),
            *given.extra_arguments,
            str(scene.path(given.playbook_file)),
        ]  # fmt: skip
        await run_guarded(
            words,
            work=work,
            doing=f"the playbook {given.playbook_file}",
            environment=environment,
            folder=scene.path("."),
        )
        if given.keep_inventory_file:
            work.note(f"the inventory stays at {await asyncio.to_thread(_keep, inventory, scene)}")


def _read(settings: Settings) -> AnsibleSettings:
    return decode(settings, AnsibleSettings, 'provisioner "ansible"')


def _environment(given: AnsibleSettings, scene: Scene, sockets: Path) -> dict[str, str]:
    """Ansible's own files lie in the build's folder and go with it."""
    values = {
        "ANSIBLE_FORCE_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_LOCAL_TEMP": str(scene.folder / "ansible"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
    }
    if given.roles_path:
        values["ANSIBLE_ROLES_PATH"] = str(scene.path(given.roles_path))
    if given.collections_path:
        values["ANSIBLE_COLLECTIONS_PATH"] = str(scene.path(given.collections_path))
    return values | dict(text.split("=", 1) for text in given.ansible_env_vars)


async def _galaxy(given: AnsibleSettings, scene: Scene, environment: Mapping[str, str], work: Work) -> None:
    path = str(scene.path(given.galaxy_file))
    words = [need(Tool(given.galaxy_command, _PACKAGE)), "install", "-r", path]
    if given.roles_path:
        words += ["-p", str(scene.path(given.roles_path))]
    if given.galaxy_force_install:
        words.append("--force")
    if given.galaxy_force_with_deps:
        words.append("--force-with-deps")
    async with work.step("Roles and collections", detail=given.galaxy_file) as step:
        await run_guarded(
            words, work=step, doing="ansible-galaxy", environment=environment, folder=scene.path(".")
        )


def _inventory(given: AnsibleSettings, scene: Scene) -> str:
    """The path of the user's own inventory, or of one that has the guest in it, private to this run."""
    if given.inventory_file:
        return str(scene.path(given.inventory_file))
    variables = host_variables(scene.facts, given.user, given.ansible_ssh_extra_args)
    host = " ".join([given.host_alias, *(f"{name}={_quoted(value)}" for name, value in variables.items())])
    if given.inventory_file_template:
        host = scene.render(
            given.inventory_file_template,
            HostAlias=given.host_alias,
            Host=scene.facts.get("Host", ""),
            Port=scene.facts.get("Port", ""),
            User=given.user or scene.facts.get("User", ""),
        ).rstrip("\n")
    lines = [host]
    for group in given.groups:
        lines += [f"[{group}]", given.host_alias]
    lines += [f"[{group}]" for group in given.empty_groups]
    folder = scene.folder
    if given.inventory_directory:
        # Beside the user's files, so that group_vars and host_vars are found.
        folder = scene.folder / "inventory"
        folder.mkdir(exist_ok=True, mode=0o700)
        for path in scene.path(given.inventory_directory).iterdir():
            link = folder / path.name
            if not link.exists():
                link.symlink_to(path)
    file = folder / "boxwright-inventory"
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n")
    return str(folder if given.inventory_directory else file)


def host_variables(facts: Mapping[str, str], user: str, extra: Sequence[str]) -> dict[str, str]:
    """How Ansible reaches the guest. A password may be among them: they go into a private file only."""
    if facts.get("ConnType") == "docker":
        return _container_variables(facts, user)
    found = {
        "ansible_host": facts.get("Host", ""),
        "ansible_port": facts.get("Port", ""),
        "ansible_user": user or facts.get("User", ""),
        "ansible_ssh_private_key_file": facts.get("SSHPrivateKeyFile", ""),
        "ansible_password": facts.get("Password", ""),
    }
    arguments = list(extra)
    if facts.get("KnownHosts"):
        arguments.append(f"-o UserKnownHostsFile={facts['KnownHosts']} -o StrictHostKeyChecking=yes")
    if facts.get("SSHPrivateKeyFile"):
        arguments.append("-o IdentitiesOnly=yes")
    found["ansible_ssh_common_args"] = " ".join(arguments)
    return {name: value for name, value in found.items() if value}


def _container_variables(facts: Mapping[str, str], user: str) -> dict[str, str]:
    """A container is entered by the program docker, at the daemon that has it."""
    words = ["-H", facts["DockerHost"]]
    if facts.get("DockerCertificates"):
        folder = facts["DockerCertificates"]
        words += ["--tlsverify", f"--tlscacert={folder}/ca.pem"]
        words += [f"--tlscert={folder}/cert.pem", f"--tlskey={folder}/key.pem"]
    found = {
        "ansible_connection": "community.docker.docker",
        "ansible_host": facts["ID"],
        "ansible_user": user or facts.get("User", ""),
        "ansible_docker_extra_args": " ".join(words),
    }
    return {name: value for name, value in found.items() if value}


def _quoted(value: str) -> str:
    """As inventories have it: Python's and JSON's quotes agree on what comes up here."""
    return json.dumps(value) if not value.replace(".", "").replace("/", "").isalnum() else value


def _keep(inventory: str, scene: Scene) -> Path:
    kept = scene.path("packer-provisioner-ansible-inventory")
    kept.touch(mode=0o600)
    kept.write_text(Path(inventory).read_text())
    return kept

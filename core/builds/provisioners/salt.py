"""The salt-masterless provisioner: states that the guest's own Salt applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

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

_BOOTSTRAP = "https://bootstrap.saltproject.io"


class SaltSettings(Table, frozen=True, kw_only=True):
    local_state_tree: str = ""
    local_pillar_roots: str = ""
    remote_state_tree: str = ""
    remote_pillar_roots: str = ""
    minion_config: str = ""
    grains_file: str = ""
    custom_state: str = ""
    bootstrap_args: str = ""
    skip_bootstrap: bool = False
    disable_sudo: bool = False
    no_exit_on_failure: bool = False
    salt_call_args: str = ""
    salt_bin_dir: str = ""
    log_level: str = "info"
    temp_config_dir: str = "/tmp/salt"
    guest_os_type: str = "unix"


class SaltProvisioner:
    kind: ClassVar[str] = "salt-masterless"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if not given.local_state_tree:
            raise ConfigError('The provisioner "salt-masterless" needs "local_state_tree".')
        if given.guest_os_type != "unix":
            raise ConfigError(
                f'"guest_os_type" is {given.guest_os_type!r}; Salt is run in "unix" guests only.'
            )
        if given.minion_config and (given.remote_state_tree or given.remote_pillar_roots):
            raise ConfigError('"minion_config" says where states are; it does not go with "remote_...".')
        check_paths(
            scene,
            local_state_tree=given.local_state_tree,
            local_pillar_roots=given.local_pillar_roots,
            minion_config=given.minion_config,
            grains_file=given.grains_file,
        )

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        given = _read(settings)
        return digests(
            scene, given.local_state_tree, given.local_pillar_roots, given.minion_config, given.grains_file
        )

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        given = _read(settings)
        reached = need_unix(guest, self.kind, scene)
        sudo = "" if given.disable_sudo else "sudo "
        if not given.skip_bootstrap:
            await execute(_bootstrap(given, sudo), "the installation of Salt", reached, work)
        staging = Staging(given.temp_config_dir, reached, scene, work)
        await staging.make()
        moves = await _put(given, staging, sudo)
        await execute(" && ".join([*moves, _call(given, sudo, staging.folder)]), "salt-call", reached, work)


def _read(settings: Settings) -> SaltSettings:
    return decode(settings, SaltSettings, 'provisioner "salt-masterless"')


def _bootstrap(given: SaltSettings, sudo: str) -> str:
    """Not where Salt is there already."""
    fetch = f"curl -fsSL {_BOOTSTRAP} -o /tmp/install_salt.sh || wget -q -O /tmp/install_salt.sh {_BOOTSTRAP}"
    run = f"{sudo}sh /tmp/install_salt.sh {given.bootstrap_args}"
    return f"command -v salt-call >/dev/null 2>&1 || {{ ({fetch}) && {run}; }}"


async def _put(given: SaltSettings, staging: Staging, sudo: str) -> list[str]:
    """Upload what goes along; returns the commands that bring it to its place."""
    wanted = [
        (given.local_state_tree, given.remote_state_tree or "/srv/salt"),
        (given.local_pillar_roots, given.remote_pillar_roots or "/srv/pillar"),
        (given.minion_config, f"{staging.folder}/minion"),
        (given.grains_file, "/etc/salt/grains"),
    ]
    moves = []
    for number, (text, target) in enumerate(wanted):
        if not text:
            continue
        source = await staging.put(text, f"part-{number}")
        if source == target:
            continue
        parent = target.rpartition("/")[0] or "/"
        moves.append(
            f"{sudo}mkdir -p {quote(parent)} && {sudo}rm -rf {quote(target)} && "
            f"{sudo}mv {quote(source)} {quote(target)}"
        )
    return moves


def _call(given: SaltSettings, sudo: str, folder: str) -> str:
    program = f"{given.salt_bin_dir.rstrip('/')}/salt-call" if given.salt_bin_dir else "salt-call"
    state = f"state.sls {quote(given.custom_state)}" if given.custom_state else "state.highstate"
    words = [f"{sudo}{program} --local {state}"]
    if given.minion_config:
        words.append(f"--config-dir={quote(folder)}")
    else:
        words.append(f"--file-root={quote(given.remote_state_tree or '/srv/salt')}")
        words.append(f"--pillar-root={quote(given.remote_pillar_roots or '/srv/pillar')}")
    if not given.no_exit_on_failure:
        words.append("--retcode-passthrough")
    words.append(f"-l {quote(given.log_level)}")
    words.append(given.salt_call_args)
    return " ".join(word for word in words if word)

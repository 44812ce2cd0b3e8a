"""The settings of the source "docker": Packer's, and a few of our own."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core.builds.declared import bootstrap_of, refuse_both
from core.builds.settings import Table, decode
from core.errors import ConfigError
from core.model.project import Bootstrap
from core.providers.docker.address import Address, resolve
from core.templates.model import Settings

INSTRUCTIONS = (
    "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME",
    "WORKDIR",
)  # fmt: skip
"""Of a Dockerfile: what can be changed of an image without building it."""

RUN = ("-d", "-i", "-t", "--entrypoint=/bin/sh", "--", "{{.Image}}")
"""Packer's own ``run_command``."""

_CLOUD = ("aws_access_key", "aws_secret_key", "aws_token", "aws_profile", "aws_force_use_public_ecr")


class DaemonSettings(Table, frozen=True, kw_only=True):
    """Which daemon: of ours, as Packer takes the one that ``DOCKER_HOST`` names."""

    host: str = ""
    certificates: str = ""

    @property
    def address(self) -> Address:
        """Raises UsageError and ProviderError."""
        return resolve(self.host, self.certificates)


class LoginSettings(DaemonSettings, frozen=True, kw_only=True):
    """Who asks a registry."""

    not_needed: ClassVar[frozenset[str]] = frozenset({"login_email"})

    login: bool = False
    login_username: str = ""
    login_password: str = ""
    login_server: str = ""
    ecr_login: bool = False
    aws_access_key: str = ""
    aws_secret_key: str = ""
    aws_token: str = ""
    aws_profile: str = ""
    aws_force_use_public_ecr: bool = False

    def check_login(self) -> None:
        """Raises ConfigError."""
        if self.ecr_login or any(getattr(self, name) for name in _CLOUD):
            raise ConfigError(
                "A login by way of AWS (ecr_login, aws_*) is not supported.",
                why="A login is a name and a password.",
                remedy="aws ecr get-login-password | docker login --username AWS --password-stdin SERVER",
            )
        if self.login and not self.login_username:
            raise ConfigError('"login" needs "login_username" and "login_password".')
        if not self.login and (self.login_username or self.login_password or self.login_server):
            raise ConfigError('"login_username" and the like mean nothing without login = true.')

    @property
    def header(self) -> dict[str, str]:
        """For the daemon's registry calls; {} for what ``docker login`` has left. Nothing is written down."""
        if not self.login:
            return {}
        from core.providers.docker.sdk import login

        return login(self.login_username, self.login_password, self.login_server)


class DockerSettings(LoginSettings, frozen=True, kw_only=True):
    not_needed: ClassVar[frozenset[str]] = LoginSettings.not_needed | {"pty", "pause_before_connecting"}

    image: str = ""
    bootstrap: dict[str, Any] = msgspec.field(default_factory=dict)
    """Instead of an image: what the source "bootstrap" takes. The image is made from packages then."""
    commit: bool = False
    discard: bool = False
    export_path: str = ""
    changes: tuple[str, ...] = ()
    author: str = ""
    message: str = ""
    run_command: tuple[str, ...] = RUN
    volumes: dict[str, str] = msgspec.field(default_factory=dict)
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    runtime: str = ""
    platform: str = ""
    pull: bool = True
    exec_user: str = ""
    communicator: str = "docker"
    container_dir: str = "/packer-files"
    """Read, not needed: nothing of this computer is mounted into the container for uploads."""
    fix_upload_owner: bool = True
    windows_container: bool = False

    @property
    def declared(self) -> Bootstrap | None:
        """Raises ConfigError for a bootstrap that is none."""
        return bootstrap_of(self.bootstrap)

    def check(self) -> None:
        """Raises ConfigError for what cannot work."""
        refuse_both("docker", self.image, self.bootstrap)
        _ = self.declared
        ends = [name for name in ("commit", "discard", "export_path") if getattr(self, name)]
        if len(ends) != 1:
            raise ConfigError(
                'The source "docker" needs exactly one of "commit", "discard" and "export_path".',
                why=f"It has {' and '.join(ends) or 'none'}.",
                remedy="commit = true   (keeps the container as an image)",
            )
        if not self.commit and (self.changes or self.author or self.message):
            raise ConfigError('"changes", "author" and "message" belong to an image: commit = true.')
        check_changes(self.changes)
        self.check_login()
        self._check_way()

    def _check_way(self) -> None:
        if self.communicator != "docker":
            raise ConfigError(
                f'A container is not reached by "{self.communicator}".',
                why="Commands run in it by the daemon's own exec; it needs no SSH server.",
                remedy='remove "communicator"',
            )
        if self.windows_container:
            raise ConfigError("Windows containers are not supported.")
        if not self.fix_upload_owner:
            raise ConfigError(
                "fix_upload_owner = false is not supported.",
                why="Files are put into the container from within: they belong to the account that does it.",
            )


def read(settings: Settings) -> DockerSettings:
    return decode(settings, DockerSettings, 'source "docker"')


def check_changes(changes: tuple[str, ...]) -> None:
    """Raises ConfigError for what is no instruction of that kind."""
    for line in changes:
        word = line.split(None, 1)[0].upper() if line.strip() else ""
        if word not in INSTRUCTIONS:
            raise ConfigError(
                f'"changes" has {line!r}, which cannot be changed of an image.',
                why=f"There is {', '.join(INSTRUCTIONS)}.",
            )

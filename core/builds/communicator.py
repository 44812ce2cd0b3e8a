"""How the guest of a source is reached: Packer's settings of communicators, and the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec

from core.builds import connection_options
from core.builds.lasting_guest import LastingGuest
from core.builds.scene import Scene
from core.builds.settings import Duration, Table
from core.errors import ConfigError, NotFoundError
from core.model.machine import Endpoint
from core.model.work import Work

if TYPE_CHECKING:
    from core.guests.base import Guest
    from core.guests.patience import Gone
    from core.guests.remote import RemoteGuest
    from core.guests.winrm.guest import WinrmGuest

KINDS = ("ssh", "none", "winrm")


class Communicator(Table, frozen=True, kw_only=True):
    """What every source with a guest takes."""

    not_needed: ClassVar[frozenset[str]] = connection_options.NOT_NEEDED
    refused: ClassVar[Mapping[str, str]] = connection_options.REFUSED

    communicator: str = "ssh"
    ssh_host: str = ""
    ssh_port: int = 22
    ssh_username: str = ""
    ssh_password: str = ""
    ssh_private_key_file: str = ""
    ssh_timeout: Duration = 300.0
    ssh_wait_timeout: Duration = 0.0
    """The earlier name of ``ssh_timeout``."""
    ssh_handshake_attempts: int = 10
    """Read, not needed: a login that breaks off is tried again until ``ssh_timeout``."""
    ssh_file_transfer_method: str = "scp"
    """Read, not needed: whichever way the guest has is found out."""
    ssh_pty: bool = False
    """Read, not needed: a step has a terminal where that helps."""
    ssh_clear_authorized_keys: bool = False
    """Read, not needed: it is about a key of Packer's own, and a build puts none into a machine."""
    pause_before_connecting: Duration = 0.0
    winrm_username: str = ""
    winrm_password: str = ""
    winrm_host: str = ""
    winrm_port: int = 0
    """0: 5985, with TLS 5986."""
    winrm_timeout: Duration = 1800.0
    winrm_use_ssl: bool = False
    winrm_insecure: bool = False
    winrm_use_ntlm: bool = False
    winrm_no_proxy: bool = False

    def check(self, *, needs_host: bool = False) -> None:
        """Raises ConfigError for what cannot work."""
        if self.communicator not in KINDS:
            raise ConfigError(
                f'The communicator "{self.communicator}" is not known.', why=f"There is {', '.join(KINDS)}."
            )
        if self.ssh_file_transfer_method not in ("scp", "sftp"):
            raise ConfigError(
                f'"ssh_file_transfer_method" is {self.ssh_file_transfer_method!r}; it is "scp" or "sftp".'
            )
        if self.communicator == "winrm":
            self._check_winrm(needs_host)
        if self.communicator != "ssh":
            return
        if needs_host and not self.ssh_host:
            raise ConfigError('"ssh_host" says which machine is meant; it is missing.')
        if not self.ssh_username:
            raise ConfigError('"ssh_username" is missing.', remedy='add ssh_username = "..."')
        if self.ssh_private_key_file and not Path(self.key_file).is_file():
            raise NotFoundError(
                f"There is no private key {self.key_file}.", why='"ssh_private_key_file" names it.'
            )

    def _check_winrm(self, needs_host: bool) -> None:
        if needs_host and not self.winrm_host:
            raise ConfigError('"winrm_host" says which machine is meant; it is missing.')
        for name in ("winrm_username", "winrm_password"):
            if not getattr(self, name):
                raise ConfigError(f'"{name}" is missing.', remedy=f'add {name} = "..."')

    @property
    def login_port(self) -> int:
        """The port at which the guest is logged in to."""
        if self.communicator == "winrm":
            return self.winrm_port or (5986 if self.winrm_use_ssl else 5985)
        return self.ssh_port

    @property
    def named_host(self) -> str:
        """The host that is to be reached in place of the source's own way; "" for that."""
        return self.winrm_host if self.communicator == "winrm" else self.ssh_host

    @property
    def account(self) -> str:
        """Who is logged in."""
        return self.winrm_username if self.communicator == "winrm" else self.ssh_username

    @property
    def key_file(self) -> str:
        return str(Path(self.ssh_private_key_file).expanduser())


async def connect(
    settings: Communicator,
    host: str,
    port: int,
    scene: Scene,
    work: Work,
    gone: Gone | None = None,
    identities: Sequence[str] = (),
) -> Guest:
    """The guest, logged in by SSH or WinRM, and again whenever it was restarted.

    ``identities`` are files of private keys, where there is one that the build made; ``gone`` returns when
    its machine has ended. Raises GuestError and the like.
    """

    async def reach() -> RemoteGuest:
        return await _over_ssh(settings, host, port, scene, work, gone, identities)

    if settings.pause_before_connecting:
        work.note(f"pausing for {settings.pause_before_connecting:g} s")
        await asyncio.sleep(settings.pause_before_connecting)
    if settings.communicator == "winrm":
        return await _over_winrm(settings, host, port, scene, work, gone)
    return LastingGuest(await reach(), reach)


async def _over_ssh(
    settings: Communicator,
    host: str,
    port: int,
    scene: Scene,
    work: Work,
    gone: Gone | None,
    identities: Sequence[str],
) -> RemoteGuest:
    from core.guests.keys import insecure_keys
    from core.guests.openssh import ssh_line
    from core.guests.wait import wait_for_guest

    endpoint = Endpoint(
        host=host,
        port=port,
        user=settings.ssh_username,
        known_hosts=str(scene.folder / "known_hosts"),
    )
    if settings.ssh_private_key_file:
        identities = [settings.key_file]
    elif not identities:
        identities = [str(path) for path in insecure_keys(scene.folder)]
    async with work.step("Wait for SSH") as step:
        guest = await wait_for_guest(
            endpoint,
            work=step,
            gone=gone,
            timeout=settings.ssh_wait_timeout or settings.ssh_timeout,
            identities=identities,
            password=settings.ssh_password,
        )
    scene.facts.update(
        Host=host,
        Port=str(port),
        User=settings.ssh_username,
        Password=settings.ssh_password,
        ConnType="ssh",
        SSHPrivateKeyFile=guest.identity,
        KnownHosts=endpoint.known_hosts,
        reach=ssh_line(msgspec.structs.replace(endpoint, identity=guest.identity)),
    )
    return guest


async def _over_winrm(
    settings: Communicator, host: str, port: int, scene: Scene, work: Work, gone: Gone | None
) -> WinrmGuest:
    from core.guests.winrm.session import WinrmEndpoint
    from core.guests.winrm.waiting import wait_for_winrm

    endpoint = WinrmEndpoint(
        host=host,
        port=port,
        user=settings.winrm_username,
        password=settings.winrm_password,
        ssl=settings.winrm_use_ssl,
        insecure=settings.winrm_insecure,
        ntlm=settings.winrm_use_ntlm,
        proxy=not settings.winrm_no_proxy,
    )
    async with work.step("Wait for WinRM") as step:
        guest = await wait_for_winrm(endpoint, work=step, timeout=settings.winrm_timeout, gone=gone)
    scene.facts.update(
        Host=host,
        Port=str(endpoint.port),
        User=endpoint.user,
        Password=endpoint.password,
        WinRMPassword=endpoint.password,
        ConnType="winrm",
        reach=f"winrs -r:{host} -u:{endpoint.user} cmd",
    )
    return guest

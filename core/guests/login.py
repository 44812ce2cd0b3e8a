"""Opening an SSH connection: which keys are tried, which host key is accepted, what failed and why."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence

import asyncssh

from core.guests import hostkeys
from core.guests.errors import ConnectionLostError, GuestError, KeyRefusedError
from core.model.machine import Endpoint

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
"""Fastest first: AES in hardware beats the rest by far."""

_HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
_ALGORITHMS_OF = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}
_KEEPALIVE_SECONDS = 10.0
_KEEPALIVE_MISSED = 3

Noticed = Callable[[str], None]
"""Told about the phases of a login: ``host key``, then ``authenticated``."""


class Visitor(asyncssh.SSHClient):
    """Our side of one connection: judges the host key and offers private keys one by one."""

    def __init__(self, endpoint: Endpoint, identities: Sequence[str], noticed: Noticed) -> None:
        self._endpoint = endpoint
        self._waiting = list(identities)
        self._noticed = noticed
        self.offered = ""
        """Path of the private key that was offered last; after a login, the accepted one."""
        self.host_key: tuple[str, bytes] = ("", b"")
        self.unusable: list[str] = []
        """Why keys could not be offered."""
        self.problem: GuestError | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.host_key = (key.get_algorithm(), key.public_data)
        self._noticed("host key")
        known = hostkeys.pinned(self._endpoint.known_hosts)
        if known and self.host_key not in known:
            self.problem = hostkeys.changed(self._endpoint.known_hosts, *self.host_key)
            return False
        return True

    def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        while self._waiting:
            path = self._waiting.pop(0)
            try:
                key = asyncssh.read_private_key(path)
            except (OSError, asyncssh.KeyImportError) as error:
                self.unusable.append(f"{path}: {getattr(error, 'strerror', None) or error}")
                continue
            self.offered = path
            return key
        return None

    def auth_completed(self) -> None:
        self._noticed("authenticated")


async def open_connection(
    endpoint: Endpoint,
    *,
    identities: Sequence[str] = (),
    sock: socket.socket | None = None,
    timeout: float = 30.0,
    noticed: Noticed = lambda phase: None,
    password: str = "",
) -> tuple[asyncssh.SSHClientConnection, Visitor]:
    """Connect and log in within ``timeout`` seconds, over ``sock`` where one is connected already.

    ``identities`` are private key files, tried in order; without any, the endpoint's own.
    ``password`` is tried after them where it is given. A first host
    key is pinned in ``endpoint.known_hosts`` (after the login: a stranger gets no pin). Raises
    HostKeyChangedError, KeyRefusedError, and ConnectionLostError for everything that trying again may mend.
    """
    tried = tuple(identities) or ((endpoint.identity,) if endpoint.identity else ())
    visitor = Visitor(endpoint, tried, noticed)
    try:
        async with asyncio.timeout(timeout):
            connection = await _connect(endpoint, visitor, sock, password)
    except asyncssh.PermissionDenied as error:
        raise _refused(endpoint, tried, visitor) from error
    except (OSError, asyncssh.Error, ValueError) as error:
        # TimeoutError is an OSError.
        if visitor.problem is not None:
            raise visitor.problem from error
        raise _lost(endpoint, error, timeout) from error
    if endpoint.known_hosts and not hostkeys.pinned(endpoint.known_hosts):
        hostkeys.pin(endpoint.known_hosts, *visitor.host_key)
    return connection, visitor


async def _connect(
    endpoint: Endpoint, visitor: Visitor, sock: socket.socket | None, password: str
) -> asyncssh.SSHClientConnection:
    agent = os.environ.get("SSH_AUTH_SOCK", "") if endpoint.forward_agent else ""
    return await asyncssh.connect(
        endpoint.host,
        endpoint.port,
        sock=sock,
        config=None,
        username=endpoint.user,
        client_factory=lambda: visitor,
        client_keys=None,
        known_hosts=([], [], []),
        server_host_key_algs=_host_key_order(endpoint),
        preferred_auth="publickey,password,keyboard-interactive" if password else "publickey",
        password=password or None,
        gss_host=None,
        x509_trusted_certs=None,
        agent_forwarding=agent or False,
        encryption_algs=CIPHERS,
        compression_algs=None,
        keepalive_interval=_KEEPALIVE_SECONDS,
        keepalive_count_max=_KEEPALIVE_MISSED,
    )


def _host_key_order(endpoint: Endpoint) -> list[str]:
    """The pinned kind of key first, so that a guest with several kinds shows that one again."""
    first: list[str] = []
    for algorithm, _ in hostkeys.pinned(endpoint.known_hosts):
        first.extend(_ALGORITHMS_OF.get(algorithm, (algorithm,)))
    known = [name for name in first if name in _HOST_KEYS]
    return known + [name for name in _HOST_KEYS if name not in known]


def _refused(endpoint: Endpoint, tried: Sequence[str], visitor: Visitor) -> KeyRefusedError:
    keys = ", ".join(tried) or "none"
    why = f"The guest's SSH server knows none of the keys of account {endpoint.user!r}. Tried: {keys}."
    if visitor.unusable:
        why += f" Not usable: {'; '.join(visitor.unusable)}."
    return KeyRefusedError(
        f"The guest refuses the login of {endpoint.user!r}.",
        why=why,
        remedy=(
            "set 'ssh.user' and 'ssh.identity' of the machine to what its box expects, "
            "or log in on the serial console and put the public key into ~/.ssh/authorized_keys"
        ),
    )


def _lost(endpoint: Endpoint, error: Exception, timeout: float) -> ConnectionLostError:
    reason = f"it took longer than {timeout:.0f} s" if isinstance(error, TimeoutError) else str(error)
    return ConnectionLostError(
        f"No SSH connection to the guest at {endpoint.host}:{endpoint.port}.",
        why=f"The connection failed: {reason or type(error).__name__}.",
        remedy="boxwright status, to see whether the machine runs; its serial console says more",
    )

"""Where instances live: a server, the local one or one elsewhere, and a project of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from core.providers.lxd.options import Options

SOCKET_VARIABLES = ("INCUS_SOCKET", "LXD_SOCKET")
FOLDER_VARIABLES = ("INCUS_DIR", "LXD_DIR")
SOCKETS = (
    "/run/incus/unix.socket",
    "/var/lib/incus/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/lxd/unix.socket",
    "/var/lib/incus/unix.socket.user",
    "/run/incus/unix.socket.user",
)
"""Where the daemons of Incus and LXD listen, as packaged; the first that may be used is taken."""

PORT = 8443
"""Where a server elsewhere listens that names no other."""


class Place(msgspec.Struct, frozen=True, order=True):
    server: str
    """Absolute path of a Unix socket, or ``https://host:port``, whose port may be missing."""
    project: str = "default"

    @property
    def remote(self) -> bool:
        return self.server.startswith("https://")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a remote one."""
        parts = urlsplit(self.server)
        return parts.hostname or "", parts.port or PORT

    @property
    def host(self) -> str:
        """What the server is called over HTTP."""
        return urlsplit(self.server).netloc if self.remote else "localhost"

    def __str__(self) -> str:
        return self.server if self.project == "default" else f"{self.server} (project {self.project})"


def place_of(options: Options) -> Place:
    """As the options say, else the local server."""
    server = options.remote.rstrip("/") or local_socket()
    return Place(server, options.project or "default")


def local_socket(variables: Mapping[str, str] = os.environ) -> str:
    """The socket that the environment names, else the first that may be used, else the first that is
    there, else LXD's usual place."""
    for name in SOCKET_VARIABLES:
        if variables.get(name):
            return variables[name]
    for name in FOLDER_VARIABLES:
        if variables.get(name):
            return str(Path(variables[name]) / "unix.socket")
    there = [socket for socket in SOCKETS if _exists(socket)]
    usable = [socket for socket in there if os.access(socket, os.W_OK)]
    return next(iter([*usable, *there]), "/var/lib/lxd/unix.socket")


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except PermissionError:
        # Its folder is closed to us: something is there, and the group is missing.
        return True

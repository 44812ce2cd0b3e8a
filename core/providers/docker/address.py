"""Where a Docker daemon listens, and how one gets to it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from core.errors import ProviderError, UsageError

DEFAULT = "unix:///var/run/docker.sock"

_SCHEMES = ("unix", "tcp", "http", "https", "ssh")
_FILES = ("ca.pem", "cert.pem", "key.pem")


class Address(msgspec.Struct, frozen=True):
    """As a text it is a URL, in which the certificates of TLS are named and never quoted."""

    url: str
    certificates: str = ""
    """Folder with ``ca.pem``, ``cert.pem`` and ``key.pem``; "" where the way there is without TLS."""
    verify: bool = True
    """Whether the daemon has to show a certificate of that authority."""

    def __str__(self) -> str:
        if not self.certificates:
            return self.url
        return f"{self.url}?{urlencode({'certificates': self.certificates, 'verify': int(self.verify)})}"

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def socket(self) -> str:
        """Path of the Unix socket."""
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "localhost"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (2376 if self.certificates else 2375)

    @property
    def ssh_target(self) -> tuple[str, ...]:
        """Arguments for ``ssh`` that say where to."""
        parts = urlsplit(self.url)
        port = ("-p", str(parts.port)) if parts.port else ()
        user = ("-l", parts.username) if parts.username else ()
        return (*user, *port, "--", self.host)


def parse(text: str) -> Address:
    """The reverse of ``str``. Raises UsageError for what is no address of a daemon."""
    parts = urlsplit(text)
    query = parse_qs(parts.query)
    url = text.partition("?")[0]
    if parts.scheme not in _SCHEMES or not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise UsageError(
            f"{text!r} is no address of a Docker daemon.",
            why=f"It begins with one of: {', '.join(f'{scheme}://' for scheme in _SCHEMES)}.",
            remedy=f"e.g. {DEFAULT}, tcp://host:2376 or ssh://user@host",
        )
    verify = query.get("verify", ["1"])[0] != "0"
    return Address(url, query.get("certificates", [""])[0], verify)


def resolve(host: str = "", certificates: str = "") -> Address:
    """The daemon to use: what the options say, else ``DOCKER_HOST``, else Docker's context, else the local
    one. Raises UsageError and ProviderError."""
    if host:
        return msgspec.structs.replace(parse(host), certificates=str(Path(certificates).expanduser())
                                       if certificates else "")  # fmt: skip
    if os.environ.get("DOCKER_HOST"):
        address = parse(os.environ["DOCKER_HOST"])
        if address.scheme in ("unix", "ssh"):
            return address
        verify = bool(os.environ.get("DOCKER_TLS_VERIFY"))
        folder = os.environ.get("DOCKER_CERT_PATH", "")
        if not verify and not folder:
            return address
        return Address(address.url, folder or str(configuration()), verify)
    return _of_context()


def configuration() -> Path:
    """Docker's own folder of settings."""
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _of_context() -> Address:
    name = os.environ.get("DOCKER_CONTEXT") or _settings().get("currentContext", "")
    if not name or name == "default":
        return Address(DEFAULT)
    from core.providers.docker.sdk import context

    found = context(name)
    if found is None:
        raise ProviderError(
            f"Docker has no context {name!r}.",
            why="It is named by DOCKER_CONTEXT or by Docker's configuration.",
            remedy="docker context ls, then: docker context use default",
        )
    return found


def _settings() -> dict[str, Any]:
    try:
        found = json.loads((configuration() / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def tls_files(address: Address) -> tuple[Path, ...]:
    """Certificate authority, certificate and key. Raises ProviderError where one is missing."""
    folder = Path(address.certificates)
    found = tuple(folder / name for name in _FILES)
    for path in found:
        if not path.is_file() and (address.verify or path.name != _FILES[0]):
            raise ProviderError(
                f"The certificates for {address.url} are not complete.",
                why=f"{path} is missing.",
                remedy="put ca.pem, cert.pem and key.pem there, or set DOCKER_CERT_PATH",
            )
    return found

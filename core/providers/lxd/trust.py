"""Servers elsewhere: the certificate by which they know this user, and the one that they are known by.

A server's own certificate is pinned when it is met for the first time, which takes a trust token: that has
the certificate's fingerprint, so nobody can come in between. Whoever uses ``lxc`` or ``incus`` already has
both certificates, and they are taken from there.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
import ssl
from pathlib import Path

import msgspec
import yaml

from core.errors import ProviderError
from core.paths import locations
from core.providers.lxd.place import Place

_DAYS = 3650


class Token(msgspec.Struct, frozen=True):
    """What ``lxc config trust add`` prints, in base64."""

    fingerprint: str
    """Of the server's certificate: SHA-256 in hexadecimal digits."""
    client_name: str = ""
    text: str = ""
    """As it was printed: that is what the server wants back."""


class Papers(msgspec.Struct, frozen=True):
    """Files of a server that we are known to; ``server`` is "" where its certificate is from an authority."""

    certificate: str
    key: str
    server: str = ""


def context_for(place: Place) -> ssl.SSLContext:
    """For connections to a server elsewhere. Raises ProviderError where we have no certificate for it."""
    papers = _pinned(place) or _of_the_client(place)
    if papers is None:
        raise ProviderError(
            f"This computer has no certificate for {place.server} yet.",
            why="A server of LXD or Incus answers only to certificates that it has been told to trust.",
            remedy="lxc config trust add (on the server), put the token that it prints into a file, "
            "and name that file as 'token_file'",
        )
    return make_context(papers)


def make_context(papers: Papers) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=papers.server or None)
    if papers.server:
        # The very certificate is known: what name it bears says nothing more.
        context.check_hostname = False
    context.load_cert_chain(papers.certificate, papers.key)
    return context


def _folder() -> Path:
    return locations().data / "lxd"


def _server_file(place: Place) -> Path:
    return _folder() / (place.server.removeprefix("https://").replace(":", "_").replace("/", "_") + ".crt")


def known(place: Place) -> bool:
    """Whether the server can be spoken to without a token."""
    return _pinned(place) is not None or _of_the_client(place) is not None


def _pinned(place: Place) -> Papers | None:
    server = _server_file(place)
    certificate, key = _folder() / "client.crt", _folder() / "client.key"
    if server.exists() and certificate.exists() and key.exists():
        return Papers(str(certificate), str(key), str(server))
    return None


def _of_the_client(place: Place) -> Papers | None:
    """Those of ``lxc`` or ``incus``, where one of their remotes has that address."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for folder in (home / "incus", home / "lxc", Path.home() / "snap/lxd/common/config"):
        try:
            remotes = yaml.safe_load((folder / "config.yml").read_text())["remotes"]
            names = [name for name, remote in remotes.items() if remote["addr"].rstrip("/") == place.server]
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
            continue
        certificate, key = folder / "client.crt", folder / "client.key"
        if names and certificate.exists() and key.exists():
            server = folder / "servercerts" / f"{names[0]}.crt"
            return Papers(str(certificate), str(key), str(server) if server.exists() else "")
    return None


def read_token(path: str) -> Token:
    """Raises ProviderError."""
    try:
        text = Path(path).expanduser().read_text().split()[-1]
        token = msgspec.json.decode(base64.b64decode(text), type=Token)
    except (OSError, IndexError, ValueError, msgspec.DecodeError) as error:
        raise ProviderError(
            f"There is no trust token in {path}.",
            why=str(error),
            remedy="lxc config trust add (on the server) prints one: put it into that file",
        ) from error
    return msgspec.structs.replace(token, text=text)


def introduce(place: Place, token: Token) -> Papers:
    """Pin the server's certificate, which the token vouches for, and have one of our own. Blocks.

    Raises ProviderError where the server is another one, and OSError.
    """
    pem = ssl.get_server_certificate(place.address, timeout=10)
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    if found != token.fingerprint.lower():
        raise ProviderError(
            f"{place.server} is not the server that gave the trust token.",
            why=f"The token names the certificate {token.fingerprint[:12]}, and the server has {found[:12]}.",
            remedy="check the address; if the server was set up anew, ask it for another token",
        )
    _folder().mkdir(mode=0o700, exist_ok=True, parents=True)
    certificate, key = _own_certificate()
    # Not under its name yet: it counts once the server trusts us.
    server = _server_file(place).with_suffix(".new")
    server.write_text(pem)
    return Papers(str(certificate), str(key), str(server))


def keep(place: Place, papers: Papers) -> None:
    """The server trusts us: from now on its certificate is pinned."""
    Path(papers.server).replace(_server_file(place))


def certificate_of(papers: Papers) -> str:
    """Ours, as a server takes it: DER in base64."""
    return base64.b64encode(ssl.PEM_cert_to_DER_cert(Path(papers.certificate).read_text())).decode()


def _own_certificate() -> tuple[Path, Path]:
    certificate, key = _folder() / "client.crt", _folder() / "client.key"
    if certificate.exists() and key.exists():
        return certificate, key
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    private = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "boxwright")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(private, hashes.SHA384())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return certificate, key

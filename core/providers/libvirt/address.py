"""Where a libvirt is: the URI of a connection, from its parts and to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, quote, urlencode, urlsplit

import msgspec

from core.errors import UsageError

if TYPE_CHECKING:
    from core.providers.libvirt.options import Options

SCHEMES = ("qemu", "qemu+unix", "qemu+ssh")
CONTAINERS = ("lxc", "lxc+unix")
"""Of the provider ``lxc``, which shares the rest with this one."""
XEN = ("xen", "xen+unix")
"""Of this computer's Xen."""

URI_VARIABLE = "LIBVIRT_DEFAULT_URI"

_HERE = ("", "localhost")
_USUAL = {"lxc": "lxc:///system", "xen": "xen:///system"}


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """Another computer, as SSH reaches it."""

    name: str
    user: str = ""
    port: int = 0
    key: str = ""
    """Path of the private key; "" for what SSH itself finds."""
    known_hosts: str = ""
    verify: bool = True

    @property
    def command(self) -> tuple[str, ...]:
        """The beginning of ``ssh``'s command line, up to the host; it never asks anything."""
        words = ["ssh", "-o", "BatchMode=yes", "-T"]
        if self.user:
            words += ["-l", self.user]
        if self.port:
            words += ["-p", str(self.port)]
        if self.key:
            words += ["-i", self.key]
        if self.known_hosts:
            words += ["-o", f"UserKnownHostsFile={self.known_hosts}"]
        if not self.verify:
            words += ["-o", "StrictHostKeyChecking=no"]
        return tuple(words)


def default_uri() -> str:
    """As libvirt itself chooses: what the environment says, else the system's for root, else the user's."""
    return _quiet(os.environ.get(URI_VARIABLE, "")) or (
        "qemu:///system" if os.geteuid() == 0 else "qemu:///session"
    )


def far_host(uri: str) -> Host | None:
    """The other computer that ``uri`` leads to; None for this one."""
    parts = urlsplit(uri)
    if not parts.scheme.endswith("+ssh"):
        return None
    more = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Host(
        name=parts.hostname or "localhost",
        user=parts.username or "",
        port=parts.port or 0,
        key=more.get("keyfile", ""),
        known_hosts=more.get("known_hosts", ""),
        verify=more.get("no_verify", "0") == "0",
    )


def is_session(uri: str) -> bool:
    """A user's own libvirt, which cannot make networks."""
    return urlsplit(uri).path == "/session"


def is_container(uri: str) -> bool:
    return urlsplit(uri).scheme in CONTAINERS


def is_xen(uri: str) -> bool:
    return urlsplit(uri).scheme in XEN


def is_carried(uri: str) -> bool:
    """Its guests have no user network of QEMU's: the engine itself carries their ports."""
    return is_container(uri) or is_xen(uri)


def check(uri: str) -> None:
    """Raise UsageError for a URI that is none of ``SCHEMES``, ``CONTAINERS`` or ``XEN``."""
    try:
        parts = urlsplit(uri)
        far = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise _refused(uri, str(error), "") from error
    usual = _USUAL.get(parts.scheme.partition("+")[0], "qemu:///session")
    if parts.scheme not in (*SCHEMES, *CONTAINERS, *XEN):
        known = ", ".join(f"{name}:" for name in (*SCHEMES, *XEN))
        remedy = f'uri = "{usual}"'
        raise _refused(uri, _why_not(parts, known), remedy)
    if parts.scheme != "qemu+ssh" and far not in _HERE:
        raise _refused(
            uri,
            "Guests on another computer are reached through SSH alone: their ports are on its loopback.",
            f'uri = "{usual}"' if parts.scheme in XEN else f'uri = "qemu+ssh://{far}{parts.path}"',
        )


def _why_not(parts: SplitResult, known: str) -> str:
    driver = parts.scheme.partition("+")[0]
    if driver in ("xen", "lxc", "vz", "bhyve", "esx", "vbox", "test", "ch"):
        return (
            f"libvirt's driver {driver} has no user network of QEMU's, which carries SSH and the "
            f"forwarded ports. Possible are connections that begin with {known}."
        )
    return f"Possible are connections that begin with {known}."


def _refused(uri: str, why: str, remedy: str) -> UsageError:
    return UsageError(f"The libvirt option uri cannot be {uri!r}.", why=why, remedy=remedy)


def compose(options: Options) -> str:
    """From ``uri``, or from the parts that vagrant-libvirt knows; "" where nothing is said."""
    parts = {
        "host": options.host,
        "port": options.port,
        "username": options.username,
        "id_ssh_key_file": options.id_ssh_key_file,
        "socket": options.socket,
        "qemu_use_session": options.qemu_use_session,
    }
    given = [name for name, value in parts.items() if value]
    if options.uri:
        if given or options.connect_via_ssh:
            raise UsageError(
                f"The libvirt options uri and {', '.join(given) or 'connect_via_ssh'} say where libvirt is.",
                remedy="write one or the other",
            )
        check(options.uri)
        return _quiet(options.uri)
    if not given and not options.connect_via_ssh:
        return ""
    uri = _composed(options)
    check(uri)
    return _quiet(uri)


def _quiet(uri: str) -> str:
    """ssh asks nothing: there is no terminal to ask at."""
    if far_host(uri) is None or "no_tty=" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}no_tty=1"


def _composed(options: Options) -> str:
    if options.host in _HERE and not options.connect_via_ssh:
        for name in ("username", "id_ssh_key_file", "port"):
            if getattr(options, name):
                raise UsageError(
                    f"The libvirt option {name} is of use only for another computer.",
                    remedy='host = "...", or remove it',
                )
        scheme, place = ("qemu+unix" if options.socket else "qemu"), ""
    elif options.connect_via_ssh:
        scheme, place = "qemu+ssh", _place(options)
    else:
        raise UsageError(
            f"libvirt at {options.host} can be reached over SSH only.",
            why="The ports of its guests are on that computer's loopback.",
            remedy="connect_via_ssh = true",
        )
    more = {"socket": options.socket}
    if place:
        more["keyfile"] = options.id_ssh_key_file and str(Path(options.id_ssh_key_file).expanduser())
    query = urlencode({name: value for name, value in more.items() if value}, quote_via=quote, safe="/")
    path = "/session" if options.qemu_use_session else "/system"
    return f"{scheme}://{place}{path}{'?' if query else ''}{query}"


def _place(options: Options) -> str:
    user = f"{quote(options.username, safe='')}@" if options.username else ""
    return f"{user}{options.host or 'localhost'}{f':{options.port}' if options.port else ''}"

"""Why libvirt cannot be reached, and the command that mends it."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
from pathlib import Path

from core.providers import tools
from core.providers.libvirt import address
from core.providers.libvirt.address import Host
from core.providers.libvirt.library import LibvirtError

_DAEMONS = ("libvirtd", "virtqemud")
_PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin"

_PACKAGES = {
    "debian": "libvirt-daemon-system libvirt-clients",
    "fedora": "libvirt-daemon-qemu libvirt-client",
    "arch": "libvirt",
    "suse": "libvirt-daemon-qemu libvirt-client",
}

_XEN = {
    "debian": "libvirt-daemon-driver-xen",
    "fedora": "libvirt-daemon-driver-libxl",
    "suse": "libvirt-daemon-driver-libxl",
}


def unreachable(uri: str, error: LibvirtError) -> LibvirtError:
    """The error of an attempt to connect, with its remedy."""
    if error.problem.what.startswith("The Python module"):
        return error
    why = error.problem.why or error.problem.what
    return LibvirtError(
        f"libvirt cannot be reached ({uri}).", number=error.number, why=why, remedy=_remedy(uri, why)
    )


def _group_remedy() -> str:
    """For a socket that the group may use."""
    try:
        group = grp.getgrnam("libvirt")
    except KeyError:
        return 'uri = "qemu:///session" in the machine\'s libvirt table, or run Boxwright as root'
    if getpass.getuser() in group.gr_mem and group.gr_gid not in os.getgroups():
        return "log out and in again: you are in the group libvirt, but this session began before"
    return "sudo usermod -aG libvirt $USER, then log in again"


def _far_remedy(host: Host, why: str) -> str:
    place = f"{host.user}@{host.name}" if host.user else host.name
    if "virt-ssh-helper: cannot connect" in why or "nc: " in why:
        return f"ssh {place} sudo systemctl start libvirtd"
    if "not found" in why:
        return f"install libvirt's daemon and client on {host.name}"
    return f"ssh {place}, and mend what it says: it must not ask for anything"


def daemon() -> str:
    """Path of libvirt's daemon; "" where none is installed."""
    return next(filter(None, map(found, _DAEMONS)), "")


def found(name: str) -> str:
    """Path of a program of the system's; "" where it is not installed."""
    return shutil.which(name, path=_PLACES) or ""


def _remedy(uri: str, why: str) -> str:
    host = address.far_host(uri)
    if host:
        return _far_remedy(host, why)
    path = daemon()
    if path and address.is_xen(uri):
        if "no connection driver" in why:
            return tools.install(_XEN) or "install libvirt's driver of Xen"
        if "not active" in why:
            # The driver looks for Xen when the daemon starts.
            return "start the host with Xen's hypervisor under its kernel (Debian: xen-system-amd64)"
    if not path:
        return tools.install(_PACKAGES) or "install libvirt with your system's package manager"
    if any(sign in why for sign in ("ermission denied", "uthentication", "olkit", "access denied")):
        return _group_remedy()
    if "does not support" in why or "unexpected QEMU URI path" in why:
        return 'uri = "qemu:///system" in the machine\'s libvirt table'
    if "/session" in uri:
        return f"{path} -d"
    name = Path(path).name
    if Path("/run/systemd/system").is_dir():
        return f"sudo systemctl start {name}.socket {name}"
    return f"sudo virtlogd -d; sudo {name} -d"

"""Why libvirt cannot be reached, and the command that mends it."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.providers import tools
from core.providers.libvirt.library import LibvirtError

_DAEMONS = ("libvirtd", "virtqemud")
_PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin"

_PACKAGES = {
    "debian": "libvirt-daemon-system libvirt-clients",
    "fedora": "libvirt-daemon-qemu libvirt-client",
    "arch": "libvirt",
    "suse": "libvirt-daemon-qemu libvirt-client",
}


def unreachable(uri: str, error: LibvirtError) -> LibvirtError:
    """The error of an attempt to connect, with its remedy."""
    if error.problem.what.startswith("The Python module"):
        return error
    why = error.problem.why or error.problem.what
    return LibvirtError(
        f"libvirt cannot be reached ({uri}).", number=error.number, why=why, remedy=_remedy(uri, why)
    )


def daemon() -> str:
    """Path of libvirt's daemon; "" where none is installed."""
    return next(filter(None, (shutil.which(name, path=_PLACES) for name in _DAEMONS)), "")


def _remedy(uri: str, why: str) -> str:
    found = daemon()
    if not found:
        return tools.install(_PACKAGES) or "install libvirt with your system's package manager"
    if any(sign in why for sign in ("ermission denied", "uthentication", "olkit", "access denied")):
        return "sudo usermod -aG libvirt $USER, then log in again"
    if "does not support" in why or "unexpected QEMU URI path" in why:
        return 'uri = "qemu:///system" in the machine\'s libvirt table'
    if "/session" in uri:
        return f"{found} -d"
    name = Path(found).name
    if Path("/run/systemd/system").is_dir():
        return f"sudo systemctl start {name}.socket {name}"
    return f"sudo virtlogd -d; sudo {name} -d"

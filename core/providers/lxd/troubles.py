"""Why a server of LXD or Incus cannot be used, and the command that mends it."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import ProviderError
from core.providers import tools
from core.providers.lxd.place import Place

_PACKAGES = {"debian": "lxd lxd-client", "fedora": "incus incus-client", "arch": "incus", "suse": "incus"}
_PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/snap/bin"


_FULL = ("no space left", "out of disk space", "quota exceeded")


class LxdError(ProviderError):
    """A refusal of the server: ``code`` is its HTTP status, 0 where it could not be reached at all."""

    def __init__(self, what: str, *, code: int = 0, why: str = "", remedy: str = "") -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.status = code


def unreachable(place: Place, error: BaseException) -> LxdError:
    """The error of an attempt to connect, with its remedy."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    why = str(cause or error) or type(error).__name__
    if place.remote:
        return LxdError(
            f"The server {place.server} cannot be reached.",
            why=why,
            remedy=f"curl -k {place.server}/1.0, to see whether it answers",
        )
    return LxdError(f"The daemon at {place.server} cannot be reached.", why=why, remedy=_local(place, cause))


def hanging(place: Place, seconds: float) -> LxdError:
    return LxdError(
        f"The daemon at {place.server} does not answer.",
        why=f"It took longer than {seconds:g} s.",
        remedy=f"look at its log; {restart(place)}",
    )


def refused(place: Place, code: int, message: str) -> LxdError:
    """What the server answered with, in words."""
    remedy = ""
    if any(sign in message.lower() for sign in _FULL):
        remedy = "free some space in the storage pool (lxc storage info), or choose another 'pool'"
    elif code == 403 or "not authorized" in message.lower():
        remedy = "see docs/lxd.md, 'A server elsewhere', for how it comes to trust this computer"
        if not place.remote:
            remedy = group_remedy(place)
    elif "No root device could be found" in message or "No storage pool" in message:
        remedy = f"{client(place)} storage create default dir, and a root disk in the default profile"
    return LxdError(f"{name(place)} refused that.", code=code, why=message, remedy=remedy)


def name(place: Place) -> str:
    return "Incus" if "incus" in place.server else "LXD"


def client(place: Place) -> str:
    return "incus" if "incus" in place.server else "lxc"


def group_remedy(place: Place) -> str:
    group = "incus-admin" if "incus" in place.server else "lxd"
    return f"sudo usermod -aG {group} $USER, then log in again"


def restart(place: Place) -> str:
    if "/snap/" in place.server:
        return "sudo snap restart lxd"
    if Path("/run/systemd/system").is_dir():
        return f"sudo systemctl restart {'incus' if 'incus' in place.server else 'lxd'}"
    return "sudo lxd --group lxd &" if "incus" not in place.server else "sudo incusd --group incus-admin &"


def _local(place: Place, error: BaseException | None) -> str:
    if isinstance(error, PermissionError):
        return group_remedy(place)
    if not any(shutil.which(program, path=_PLACES) for program in ("lxd", "incusd", "lxd.daemon")):
        return tools.install(_PACKAGES) or "install LXD or Incus with your system's package manager"
    return restart(place)

"""What a daemon complains about, and what mends it."""

from __future__ import annotations

from typing import Any

from core.errors import BoxwrightError, ProviderError
from core.providers import tools
from core.providers.docker.address import Address


class DockerError(ProviderError):
    """The daemon refused something, or cannot be talked to."""

    def __init__(self, what: str, *, status: int = 0, **more: Any) -> None:
        super().__init__(what, **more)
        self.status = status
        """Of HTTP; 0 where there was no answer."""


class NoDaemon(DockerError):
    """The daemon is not there, or was lost on the way."""


class NoAnswer(NoDaemon):
    """The daemon is silent."""


_REMEDIES = (
    ("no space left on device", "docker system df shows what fills the disk; docker system prune frees some"),
    ("Pool overlaps with other one", "give the network another range in the project's file; "
     "docker network ls and ip route show which are in use"),
    ("could not find an available", "docker network prune removes networks that nothing uses"),
    ("exec format error", "use an image for this host's architecture, or: "
     "sudo apt-get install -y qemu-user-static"),
    ("executable file not found", "look at 'command' and 'entrypoint': the image has no such program"),
    ("Range of CPUs", "lower the machine's 'cpus'"),
    ("Minimum memory limit", "raise the machine's 'memory'"),
    ("pull access denied", "look at the name of the image; docker login, where it is private"),
    ("unauthorized", "docker login SERVER; in a template the right login_username and login_password"),
    ("no basic auth credentials", "docker login SERVER; in a template login = true and its like"),
    ("manifest unknown", "look at the tag of the image: the registry has no such one"),
    ("manifest for", "look at the tag of the image: the registry has no such one"),
    ("bind source path does not exist", "make that folder, or correct 'volumes'"),
    ("user:", "look at 'user': the image has no such account"),
    ("unable to find user", "look at 'user': the image has no such account"),
    ("failed to get digest", "its image was removed by force, so there is nothing to build on: "
     "boxwright destroy, then boxwright up"),
    ("freezer", "the host's kernel cannot pause containers (cgroup freezer): halt it instead"),
)  # fmt: skip


def refused(status: int, text: str) -> DockerError:
    """A refusal in our words; ``text`` is the daemon's."""
    text = text.strip() or f"It answered with status {status}."
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in text), "")
    return DockerError("Docker refused.", status=status, why=text, remedy=remedy)


def unreachable(address: Address, error: OSError) -> DockerError:
    """Why a daemon cannot be talked to, with the command that mends it."""
    if isinstance(error, PermissionError):
        return NoDaemon(
            f"You may not use Docker's socket {address.socket}.",
            why="It belongs to root and the group docker, in which you are not.",
            remedy="sudo usermod -aG docker $USER, then log in anew",
        )
    reason = error.strerror or str(error) or "the connection broke"
    return NoDaemon(
        f"Docker's daemon cannot be reached at {address.url}.",
        why=f"{reason.rstrip('.')}.",
        remedy=_start(address),
    )


def _start(address: Address) -> str:
    if address.scheme == "unix":
        return "sudo systemctl start docker, or where there is no systemd: sudo dockerd"
    if address.scheme == "ssh":
        return f"ssh {' '.join(address.ssh_target)} docker version, to see what is wrong there"
    return f"look whether the daemon runs there and may be reached: docker --host {address.url} version"


def silent(address: Address, seconds: float) -> NoAnswer:
    return NoAnswer(
        f"Docker's daemon at {address.url} did not answer within {seconds:g} s.",
        remedy="sudo systemctl restart docker",
    )


def install() -> str:
    """The command that installs Docker on this system."""
    packages = {"debian": "docker.io", "fedora": "moby-engine", "arch": "docker", "suse": "docker"}
    return tools.install(packages) or "install Docker with your system's package manager"


def is_gone(error: BoxwrightError) -> bool:
    """Whether what was asked for does not exist."""
    return isinstance(error, DockerError) and error.status == 404

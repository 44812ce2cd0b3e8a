"""Being root where nobody else is: the namespaces in which a system's packages are unpacked.

As root, and as anybody whom the system gives subordinate user numbers, programs run in mount and
process namespaces of their own. So nothing that a package's script mounts or starts is seen outside,
and all of it goes when the first process of the namespace goes. A normal user is root in there by
a user namespace; files of other owners then belong to the user's subordinate numbers outside.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Sequence
from pathlib import Path

from core.builds.tools import UNSHARE, need, search_path
from core.errors import BoxwrightError

_FIRST_PROCESS = """\
exec 3<&0 </dev/null
"$@" 3<&- &
job=$!
{ cat <&3 >/dev/null; kill -KILL $job; } 2>/dev/null &
exec 3<&-
wait $job
"""
"""Runs the command, and ends (and with it the namespace) when the command does or standard input ends."""


def is_root() -> bool:
    """Whether no user namespace is needed."""
    return os.geteuid() == 0


def _unshare() -> list[str]:
    user = [] if is_root() else ["--user", "--map-root-user", "--map-auto"]
    return [need(UNSHARE), *user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def inside(command: Sequence[str], folder: Path) -> list[str]:
    """The arguments that run ``command`` as root in new namespaces, for as long as standard input
    is open. ``folder`` names the build: :func:`core.builds.undo.end_processes` finds it by that."""
    return [*_unshare(), "sh", "-c", _FIRST_PROCESS, f"boxwright-build={folder}", *command]


async def check() -> None:
    """Raise BoxwrightError where the system does not let us have such namespaces."""
    process = await asyncio.create_subprocess_exec(
        *_unshare(),
        "true",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": search_path()},
    )
    output, _ = await process.communicate()
    if process.returncode == 0:
        return
    said = output.decode("utf-8", "replace").strip()
    raise _refused(said)


def _refused(said: str) -> BoxwrightError:
    tail = tuple(said.splitlines())
    if is_root():
        return BoxwrightError(
            "This system does not let root have namespaces of its own.",
            why="Packages are unpacked in private mount and process namespaces; a container without"
            " CAP_SYS_ADMIN cannot make any.",
            remedy="docker run --privileged ... (where this is a container)",
            tail=tail,
        )
    user = getpass.getuser()
    if not _has_numbers(user):
        return BoxwrightError(
            f"The user {user} has no subordinate user numbers.",
            why="Without root, a system's files are owned by such numbers while it is made.",
            remedy=f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
            tail=tail,
        )
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() == "1":
        return BoxwrightError(
            "AppArmor forbids user namespaces here.",
            why="Without root, packages are unpacked in a user namespace.",
            remedy="sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
            tail=tail,
        )
    return BoxwrightError(
        "This system does not let normal users have user namespaces.",
        why=said or "Without root, packages are unpacked in a user namespace.",
        remedy="sudo sysctl -w user.max_user_namespaces=10000",
        tail=tail,
    )


def _has_numbers(user: str) -> bool:
    """Whether /etc/subuid and /etc/subgid name the user; other sources of such numbers count as yes."""
    switch = Path("/etc/nsswitch.conf")
    if switch.exists() and "subid:" in switch.read_text():
        return True
    names = (f"{user}:", f"{os.getuid()}:")
    for file in (Path("/etc/subuid"), Path("/etc/subgid")):
        if not file.exists() or not any(line.startswith(names) for line in file.read_text().splitlines()):
            return False
    return True


async def remove_tree(folder: Path) -> None:
    """Remove a folder in which subordinate numbers own files, as the root of a user namespace."""
    process = await asyncio.create_subprocess_exec(
        *_unshare(),
        "rm",
        "-rf",
        "--one-file-system",
        "--",
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()

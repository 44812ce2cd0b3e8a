"""The shell provisioner: commands given inline, or a script of the host.

The script and its environment travel into a private folder of the guest, which is removed whatever
happens. It runs on a pseudo-terminal, so that programs show their colours, with nothing to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from core.errors import NotFoundError
from core.guests.base import Guest
from core.guests.errors import CommandTimeoutError, GuestError
from core.guests.quoting import exports
from core.model.project import Provision
from core.model.work import Work
from core.provisioners import script as scripts
from core.provisioners.base import ProvisionError
from core.provisioners.tail import Tail

_PREPARE_SECONDS = 120.0
_REMOVE_SECONDS = 15.0


class ShellProvisioner:
    kind: ClassVar[str] = "shell"

    def check(self, provision: Provision, project_root: Path) -> None:
        exports(provision.env)
        if provision.script is None:
            return
        path = _path(provision.script, project_root)
        if not path.is_file():
            raise NotFoundError(
                f"There is no script {path} to run.",
                remedy="correct 'script' of that provisioner in the project file",
            )

    def inputs(self, provision: Provision, project_root: Path) -> bytes:
        return hashlib.sha256(_contents(provision, project_root)).digest()

    async def run(self, provision: Provision, guest: Guest, *, project_root: Path, work: Work) -> None:
        contents = await asyncio.to_thread(_contents, provision, project_root)
        script = scripts.Script(
            contents=scripts.normalise(contents),
            strict=provision.shell is not None,
            args=provision.args,
            env=provision.env,
            cwd=provision.cwd,
            privileged=provision.privileged,
        )
        async with _uploaded(guest, script) as folder:
            await _execute(guest, provision, folder, work)


def _path(text: str, project_root: Path) -> Path:
    return project_root / Path(text).expanduser()


def _contents(provision: Provision, project_root: Path) -> bytes:
    if provision.script is None:
        return (provision.shell or "").encode("utf-8", "surrogateescape") + b"\n"
    path = _path(provision.script, project_root)
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            f"Could not read the script {path}.", why=f"{error.strerror}.", remedy=f"ls -l {path}"
        ) from error


@asynccontextmanager
async def _uploaded(guest: Guest, script: scripts.Script) -> AsyncIterator[str]:
    """The private folder in the guest; it goes again on failure and when cancelled, too."""
    command, stdin = scripts.receive(script)
    answer, said = bytearray(), Tail()
    ran = await guest.run(
        command, stdin=stdin, stdout=answer.extend, stderr=said.write, timeout=_PREPARE_SECONDS
    )
    if ran.status != 0:
        raise _not_prepared(ran.status, said.lines())
    folder = bytes(answer).decode("utf-8", "surrogateescape")
    try:
        yield folder
    finally:
        await asyncio.shield(_remove(guest, folder))


async def _remove(guest: Guest, folder: str) -> None:
    with contextlib.suppress(GuestError):
        await guest.run(scripts.remove(folder), timeout=_REMOVE_SECONDS)


async def _execute(guest: Guest, provision: Provision, folder: str, work: Work) -> None:
    tail = Tail()

    def output(data: bytes) -> None:
        tail.write(data)
        work.write(data)

    try:
        ran = await guest.run(
            scripts.execute(folder, privileged=provision.privileged),
            stdout=output,
            stderr=output,
            pty=True,
            timeout=provision.timeout or None,
        )
    except CommandTimeoutError as error:
        raise ProvisionError(
            f"{_what(provision)} took longer than {provision.timeout:g} s and was ended.",
            why="It may wait for an answer that nobody can give, or need a longer 'timeout'.",
            tail=tail.lines(),
        ) from error
    if ran.status == 0:
        return
    why = f"It ended with exit status {ran.status}"
    if ran.status == -1:
        why = "The connection to the guest broke while it ran: the guest may have restarted or crashed"
    elif ran.signal:
        why = f"The signal {ran.signal} ended it"
    elif ran.status == scripts.NO_DIRECTORY and provision.cwd:
        why += f"; its working directory is to be {provision.cwd!r}"
    raise ProvisionError(f"{_what(provision)} failed.", why=f"{why}.", tail=tail.lines())


def _what(provision: Provision) -> str:
    if provision.script is not None:
        return f"The script {provision.script}"
    lines = (provision.shell or "").strip().splitlines()
    more = " …" if len(lines) > 1 else ""
    return f"The shell command {lines[0][:120] if lines else ''!r}{more}"


def _not_prepared(status: int, said: tuple[str, ...]) -> ProvisionError:
    last = said[-1] if said else f"The command ended with {status}"
    if status == scripts.NO_ROOT:
        return ProvisionError(
            "The provisioner needs root in the guest, and the account cannot become root.",
            why=f"{last}.",
            remedy="set 'privileged = false', or let the account use sudo without a password",
            tail=said,
        )
    if status == -1:
        return ProvisionError("The connection to the guest broke before the provisioner began.", tail=said)
    return ProvisionError(
        "The provisioner's script could not be put into the guest.",
        why=f"{last}.",
        remedy="make room in the guest's /tmp (boxwright ssh)"
        if any("space" in line for line in said)
        else "",
        tail=said,
    )

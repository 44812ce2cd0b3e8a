"""What steps in Windows have in common: commands of cmd, and scripts that are put there and run."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from core.builds.provisioners.commands import ended_well, take_away
from core.builds.provisioners.scripts import AnyScripts, files
from core.builds.scene import Scene
from core.builds.settings import Duration
from core.guests.base import Guest, Output, Ran
from core.model.work import Work
from core.provisioners.base import ProvisionError

FOLDER = "c:/Windows/Temp"


class WindowsScripts(AnyScripts, frozen=True, kw_only=True):
    """What powershell and windows-shell take."""

    remote_path: str = ""
    start_retry_timeout: Duration = 300.0
    skip_clean: bool = False
    pause_after: Duration = 0.0


async def execute(
    command: str,
    called: str,
    guest: Guest,
    work: Work,
    *,
    allowed: Collection[int] = (0,),
    disconnect: bool = False,
) -> None:
    """Run a command line of cmd. Raises ProvisionError with the last lines that it wrote."""

    async def run(output: Output) -> Ran:
        return await guest.run(command, stdout=output, stderr=output)

    remedy = "restart the guest by the provisioner windows-restart"
    await ended_well(run, called, work, allowed=allowed, disconnect=disconnect, remedy=remedy)


def written(given: AnyScripts, scene: Scene, ending: str, start: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """The scripts as files of this computer, each with what it is called; inline lines come behind ``start``
    into one file of the build's private folder."""
    if not given.inline:
        yield from ((scene.path(text), text) for text in files(given))
        return
    path = scene.folder / f"inline{ending}"
    # Windows PowerShell takes a file without the mark for one in the country's own characters.
    mark = b"\xef\xbb\xbf" if ending == ".ps1" else b""
    path.write_bytes(mark + "\r\n".join([*start, *given.inline, ""]).encode())
    yield path, given.inline[0][:60] + (" …" if len(given.inline) > 1 else "")


def new_path(ending: str) -> str:
    """A path in the guest that nobody has."""
    return f"{FOLDER}/boxwright-{secrets.token_hex(6)}{ending}"


@asynccontextmanager
async def put(
    path: Path, target: str, called: str, given: WindowsScripts, guest: Guest
) -> AsyncIterator[None]:
    """A file in the guest, which goes again however the step ends, unless it is to stay.

    Raises ProvisionError where it does not get there in time.
    """
    try:
        try:
            async with asyncio.timeout(given.start_retry_timeout or None):
                await guest.upload(path, target)
        except TimeoutError:
            raise ProvisionError(
                f"{called} could not be put into the guest within {given.start_retry_timeout:g} s."
            ) from None
        yield
    finally:
        if not given.skip_clean:
            await take_away(guest, 'del /f /q "{}"'.format(target.replace("/", "\\")))


async def pause(given: WindowsScripts) -> None:
    """As long as asked, after a script."""
    if given.pause_after:
        await asyncio.sleep(given.pause_after)

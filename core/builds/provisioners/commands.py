"""Commands of steps in the guest: output to the log, its end as a sentence."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection

from core.errors import BoxwrightError
from core.guests.base import Guest, Output, Ran
from core.guests.quoting import quote
from core.model.work import Work
from core.provisioners.base import ProvisionError
from core.provisioners.tail import Tail

_TAKE_AWAY_SECONDS = 15.0


async def execute(
    command: str,
    called: str,
    guest: Guest,
    work: Work,
    *,
    allowed: Collection[int] = (0,),
    disconnect: bool = False,
    last: str = "",
) -> bool:
    """Run a command line of Unix. ``called``: e.g. ``the script setup.sh``; ``disconnect``: the connection
    may break; ``last``: what the guest does by itself at its end, even if nobody is there any more.

    Returns whether the connection is still there. Raises ProvisionError with the last lines that it wrote.
    """
    ending = f"trap {quote(last)} EXIT\n" if last else ""

    async def run(output: Output) -> Ran:
        # The command comes by the input: as an argument everybody in the guest could read what is in it.
        script = f"{ending}{{ {command}\n}} </dev/null\n".encode()
        return await guest.run("exec sh -s", stdin=script, stdout=output, stderr=output)

    remedy = "where it restarts the guest, set expect_disconnect = true"
    return await ended_well(run, called, work, allowed=allowed, disconnect=disconnect, remedy=remedy)


async def take_away(guest: Guest, command: str) -> None:
    """Run what removes a step's files from the guest, as far as it answers: also where the step failed, or is
    cancelled meanwhile."""
    await asyncio.shield(_answered(guest, command))


async def _answered(guest: Guest, command: str) -> None:
    with contextlib.suppress(BoxwrightError, TimeoutError):
        async with asyncio.timeout(_TAKE_AWAY_SECONDS):
            await guest.run(command)


async def ended_well(
    run: Callable[[Output], Awaitable[Ran]],
    called: str,
    work: Work,
    *,
    allowed: Collection[int],
    disconnect: bool,
    remedy: str,
) -> bool:
    """Run something, with its output to the log. ``remedy``: for a connection that breaks and may not.

    Returns whether the connection is still there. Raises ProvisionError with the last lines that it wrote.
    """
    tail = Tail()

    def output(data: bytes) -> None:
        tail.write(data)
        work.write(data)

    ran = await run(output)
    if ran.status in allowed:
        return True
    if ran.status == -1 and disconnect:
        work.note("the guest ended the connection, as expected")
        return False
    why = f"It ended with exit status {ran.status}."
    if ran.status == -1:
        why = "The connection to the guest broke while it ran."
    elif tuple(allowed) != (0,):
        why = f"{why} Allowed are {', '.join(str(code) for code in allowed)}."
    raise ProvisionError(
        f"{called[:1].upper()}{called[1:]} failed.",
        why=why,
        remedy=remedy if ran.status == -1 else "",
        tail=tail.lines(),
    )


async def need_program(program: str, guest: Guest, *, remedy: str) -> None:
    """Raises ProvisionError where the guest has no such program."""
    ran = await guest.run(f"command -v {quote(program)} >/dev/null 2>&1")
    if ran.status:
        raise ProvisionError(f"The guest has no {program}.", why="This step runs it there.", remedy=remedy)

"""Commands of steps in the guest: output to the log, its end as a sentence."""

from __future__ import annotations

from collections.abc import Collection

from core.guests.base import Guest
from core.guests.quoting import quote
from core.model.work import Work
from core.provisioners.base import ProvisionError
from core.provisioners.tail import Tail


async def execute(
    command: str,
    called: str,
    guest: Guest,
    work: Work,
    *,
    allowed: Collection[int] = (0,),
    disconnect: bool = False,
) -> None:
    """Run a command line. ``called``: e.g. ``the script setup.sh``; ``disconnect``: the connection may break.

    Raises ProvisionError with the last lines that it wrote.
    """
    tail = Tail()

    def output(data: bytes) -> None:
        tail.write(data)
        work.write(data)

    # The command comes by the input: as an argument everybody in the guest could read what is in it.
    ran = await guest.run(
        "exec sh -s", stdin=f"{{ {command}\n}} </dev/null\n".encode(), stdout=output, stderr=output
    )
    if ran.status in allowed:
        return
    if ran.status == -1 and disconnect:
        work.note("the guest ended the connection, as expected")
        return
    why = f"It ended with exit status {ran.status}."
    remedy = ""
    if ran.status == -1:
        why = "The connection to the guest broke while it ran."
        remedy = "where it restarts the guest, set expect_disconnect = true"
    elif tuple(allowed) != (0,):
        why = f"{why} Allowed are {', '.join(str(code) for code in allowed)}."
    raise ProvisionError(
        f"{called[:1].upper()}{called[1:]} failed.", why=why, remedy=remedy, tail=tail.lines()
    )


async def need_program(program: str, guest: Guest, *, remedy: str) -> None:
    """Raises ProvisionError where the guest has no such program."""
    ran = await guest.run(f"command -v {quote(program)} >/dev/null 2>&1")
    if ran.status:
        raise ProvisionError(f"The guest has no {program}.", why="This step runs it there.", remedy=remedy)

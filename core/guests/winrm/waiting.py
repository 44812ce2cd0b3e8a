"""Waiting for a guest with Windows: until its WinRM answers, and takes the password."""

from __future__ import annotations

import asyncio
import time

from core.guests.errors import ConnectionLostError, GuestError, GuestSilentError, KeyRefusedError
from core.guests.winrm.guest import WinrmGuest
from core.guests.winrm.session import WinrmEndpoint
from core.model.work import Work

GRACE = 10.0
"""Seconds in which a password that is refused may still be set by the guest's first boot."""
_PAUSE = 1.0


async def wait_for_winrm(
    endpoint: WinrmEndpoint, *, work: Work, timeout: float, grace: float = GRACE
) -> WinrmGuest:
    """A guest that runs commands. Raises GuestSilentError after ``timeout`` seconds, KeyRefusedError."""
    guest = WinrmGuest(endpoint)
    began, refused, last = time.monotonic(), 0.0, ""
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    ran = await guest.run("echo ready")
                    if ran.status == 0:
                        work.note(f"answers {time.monotonic() - began:.1f} s")
                        return guest
                    last = f"A command ended with exit status {ran.status}."
                except KeyRefusedError:
                    refused = refused or time.monotonic()
                    if time.monotonic() - refused >= grace:
                        raise
                    work.note("the password is refused")
                except (ConnectionLostError, GuestError) as error:
                    last = error.problem.why
                    work.note("no answer yet")
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise GuestSilentError(
            f"The guest at {endpoint.host}:{endpoint.port} did not answer over WinRM within {timeout:g} s.",
            why=last,
            remedy="look whether WinRM is set up in it, on this port; winrm_timeout says how long to wait",
        ) from None

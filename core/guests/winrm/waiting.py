"""Waiting for a guest with Windows: until its WinRM answers, and takes the password."""

from __future__ import annotations

import asyncio
import time

import msgspec

from core.guests.errors import (
    ConnectionLostError,
    GuestError,
    GuestGoneError,
    GuestSilentError,
    KeyRefusedError,
)
from core.guests.patience import Gone, MachineEndedError, NoAnswerError, answered
from core.guests.winrm.guest import WinrmGuest
from core.guests.winrm.session import WinrmEndpoint
from core.model.work import Work

GRACE = 10.0
"""Seconds in which a password that is refused may still be set by the guest's first boot."""
_PAUSE = 1.0
_PATIENCE = 5


async def wait_for_winrm(
    endpoint: WinrmEndpoint, *, work: Work, timeout: float, gone: Gone | None = None, grace: float = GRACE
) -> WinrmGuest:
    """A guest that runs commands. Raises GuestGoneError when ``gone`` returns meanwhile, GuestSilentError
    after ``timeout`` seconds, KeyRefusedError."""
    answering = _Answering(endpoint, work, grace)
    where = f"{endpoint.host}:{endpoint.port}"
    try:
        return await answered(answering.answer(), gone, timeout)
    except MachineEndedError as ended:
        raise GuestGoneError(
            "The machine ended while its guest was waited for.",
            why=f"{ended.how.rstrip('.')}. Last seen: {answering.last or 'no answer'}",
        ) from None
    except NoAnswerError:
        raise GuestSilentError(
            f"The guest at {where} did not answer over WinRM within {timeout:g} s.",
            why=answering.last,
            remedy="look whether WinRM is set up in it, on this port; winrm_timeout says how long to wait",
        ) from None


class _Answering:
    def __init__(self, endpoint: WinrmEndpoint, work: Work, grace: float) -> None:
        self._endpoint = endpoint
        self._work = work
        self._grace = grace
        self.last = ""
        """Why there is no answer."""

    async def answer(self) -> WinrmGuest:
        began, refused = time.monotonic(), 0.0
        # A port that is forwarded takes connections before anything listens behind it.
        probe = WinrmGuest(msgspec.structs.replace(self._endpoint, patience=_PATIENCE))
        while True:
            try:
                ran = await probe.run("echo ready")
                if ran.status == 0:
                    self._work.note(f"answers {time.monotonic() - began:.1f} s")
                    return WinrmGuest(self._endpoint)
                self.last = f"A command ended with exit status {ran.status}."
            except KeyRefusedError:
                refused = refused or time.monotonic()
                if time.monotonic() - refused >= self._grace:
                    raise
                self._work.note("the password is refused")
            except (ConnectionLostError, GuestError) as error:
                self.last = error.problem.why
                self._work.note("no answer yet")
            await asyncio.sleep(_PAUSE)

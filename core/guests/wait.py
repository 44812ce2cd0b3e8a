"""Waiting for a guest, shown as what it is: port open, banner read, host key seen, authenticated."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from core.guests.banner import Lookout, Outcome
from core.guests.errors import (
    ConnectionLostError,
    GuestGoneError,
    GuestSilentError,
    HostKeyChangedError,
    KeyRefusedError,
)
from core.model.machine import Endpoint
from core.model.work import Work

if TYPE_CHECKING:
    from core.guests.ssh import SshGuest

Gone = Callable[[], Awaitable[str]]
"""Returns when the machine's process has ended, and only then; the text says how it ended."""

_LOGIN_SECONDS = 60.0
_TIMED = ("port open", "banner")


class _Phases:
    """What has been reached, with seconds since the beginning, as a note beside the step."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._began = time.monotonic()
        self.reached: dict[str, float] = {}

    def reach(self, phase: str) -> None:
        if phase not in self.reached:
            self.reached[phase] = time.monotonic() - self._began
            self._work.note(self.text())

    def text(self) -> str:
        return " · ".join(
            f"{phase} {seconds:.1f} s" if phase in _TIMED or phase == "authenticated" else phase
            for phase, seconds in self.reached.items()
        )


async def wait_for_guest(
    endpoint: Endpoint,
    *,
    work: Work,
    gone: Gone | None = None,
    timeout: float = 300.0,
    identities: Sequence[str] = (),
    key_grace: float = 10.0,
) -> SshGuest:
    """Wait until the guest answers, log in, and return it; at most ``timeout`` seconds.

    ``identities`` are private key files to try in this order (default: the endpoint's own). A refused
    login is tried again for ``key_grace`` seconds, as a first boot may put keys in place late. Raises
    GuestGoneError when ``gone`` returns meanwhile, GuestSilentError after ``timeout``, KeyRefusedError,
    and HostKeyChangedError.
    """
    phases = _Phases(work)
    phases.reach("process up")
    lookout = Lookout(endpoint)
    waiting = asyncio.create_task(_answer(endpoint, lookout, phases, identities, key_grace))
    leaving = asyncio.create_task(_until(gone)) if gone else None
    tasks = {waiting} if leaving is None else {waiting, leaving}
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if leaving is not None and leaving.done():
            raise _went(leaving.result(), phases)
        raise _silent(endpoint, lookout, phases, timeout)
    finally:
        await _cancel(waiting, leaving)


async def _until(gone: Gone) -> str:
    return await gone()


async def _cancel(waiting: asyncio.Task[SshGuest], leaving: asyncio.Task[str] | None) -> None:
    for task in (waiting, leaving):
        if task is not None and not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                late = await task
                if task is waiting and not isinstance(late, str):
                    await late.close()


async def _answer(
    endpoint: Endpoint, lookout: Lookout, phases: _Phases, identities: Sequence[str], key_grace: float
) -> SshGuest:
    announcing = asyncio.create_task(_announce_port(lookout, phases))
    # The library takes a quarter of a second to load: that passes while the guest boots.
    loading = asyncio.create_task(asyncio.to_thread(_load))
    refused_since = 0.0
    try:
        while True:
            sock, _ = await lookout.banner()
            phases.reach("banner")
            await loading
            from core.guests.ssh import connect

            try:
                return await connect(
                    endpoint, identities=identities, sock=sock, timeout=_LOGIN_SECONDS, noticed=phases.reach
                )
            except HostKeyChangedError:
                raise
            except KeyRefusedError:
                refused_since = refused_since or time.monotonic()
                if time.monotonic() - refused_since > key_grace:
                    raise
                await asyncio.sleep(0.5)
            except ConnectionLostError:
                await asyncio.sleep(0.1)
    finally:
        announcing.cancel()


def _load() -> None:
    import core.guests.ssh  # noqa: F401


async def _announce_port(lookout: Lookout, phases: _Phases) -> None:
    await lookout.port_open.wait()
    phases.reach("port open")


def _went(how: str, phases: _Phases) -> GuestGoneError:
    return GuestGoneError(
        "The machine ended while its guest was waited for.",
        why=f"{how.rstrip('.') or 'Its process is gone'}. Reached: {phases.text()}.",
        remedy="look at the end of its serial console, then: boxwright up",
    )


def _silent(endpoint: Endpoint, lookout: Lookout, phases: _Phases, timeout: float) -> GuestSilentError:
    look = lookout.last
    if "banner" in phases.reached:
        reason = "its SSH server answers, but no login came to an end"
    elif look is None:
        reason = Outcome.HUNG.value
    else:
        reason = look.outcome.value
        if look.outcome is Outcome.GARBAGE:
            reason += f" ({look.said[:60]!r})"
    return GuestSilentError(
        f"The guest did not answer at {endpoint.host}:{endpoint.port} within {timeout:g} s.",
        why=f"Last seen: {reason}. Reached: {phases.text()}.",
        remedy=(
            "look at its serial console (the Serial tab of the workbench) for what holds it up; "
            "for a slow guest set a longer 'boot_timeout'"
        ),
    )

"""Waiting for a guest, shown as what it is: port open, banner read, host key seen, authenticated."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from core.guests.banner import Lookout, Outcome
from core.guests.errors import (
    ConnectionLostError,
    GuestGoneError,
    GuestSilentError,
    HostKeyChangedError,
    KeyRefusedError,
)
from core.guests.patience import Gone, MachineEndedError, NoAnswerError, answered
from core.model.machine import SSH, Endpoint
from core.model.work import Work

if TYPE_CHECKING:
    from core.guests.remote import RemoteGuest

_LOGIN_SECONDS = 60.0
_TIMED = ("port open", "banner", "authenticated", "answers")


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
            f"{phase} {seconds:.1f} s" if phase in _TIMED else phase
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
    password: str = "",
) -> RemoteGuest:
    """Wait until the guest answers, log in, and return it; at most ``timeout`` seconds.

    ``identities`` are private key files to try in this order (default: the endpoint's own). A refused
    login is tried again for ``key_grace`` seconds, as a first boot may put keys in place late. ``password``
    is tried after them. Raises
    GuestGoneError when ``gone`` returns meanwhile, GuestSilentError after ``timeout``, KeyRefusedError,
    and HostKeyChangedError.
    """
    phases = _Phases(work)
    phases.reach("process up")
    way: _Way
    if endpoint.communicator == SSH:
        way = _OverSsh(endpoint, phases, identities, key_grace, password)
    else:
        way = _Attached(endpoint, phases)
    try:
        return await answered(way.answer(), gone, timeout)
    except MachineEndedError as ended:
        raise _went(ended.how, phases) from None
    except NoAnswerError:
        raise way.silent(timeout) from None


def _went(how: str, phases: _Phases) -> GuestGoneError:
    return GuestGoneError(
        "The machine ended while its guest was waited for.",
        why=f"{how.rstrip('.') or 'Its process is gone'}. Reached: {phases.text()}.",
        remedy="look at the end of its serial console, then: boxwright up",
    )


class _Way(Protocol):
    """How one kind of guest is waited for."""

    async def answer(self) -> RemoteGuest:
        """Try until it answers."""

    def silent(self, timeout: float) -> GuestSilentError:
        """What is known of a guest that did not answer in time."""


class _OverSsh:
    """A guest with an SSH server."""

    def __init__(
        self,
        endpoint: Endpoint,
        phases: _Phases,
        identities: Sequence[str],
        key_grace: float,
        password: str,
    ) -> None:
        self._endpoint = endpoint
        self._phases = phases
        self._identities = identities
        self._key_grace = key_grace
        self._password = password
        self._lookout = Lookout(endpoint)

    async def answer(self) -> RemoteGuest:
        announcing = asyncio.create_task(self._announce_port())
        # The library takes a quarter of a second to load: that passes while the guest boots.
        loading = asyncio.create_task(asyncio.to_thread(_load))
        refused_since = 0.0
        try:
            while True:
                sock, _ = await self._lookout.banner()
                self._phases.reach("banner")
                await loading
                try:
                    return await self._log_in(sock)
                except HostKeyChangedError:
                    raise
                except KeyRefusedError:
                    refused_since = refused_since or time.monotonic()
                    if time.monotonic() - refused_since > self._key_grace:
                        raise
                    await asyncio.sleep(0.5)
                except ConnectionLostError:
                    await asyncio.sleep(0.1)
        finally:
            announcing.cancel()

    async def _log_in(self, sock: socket.socket) -> RemoteGuest:
        from core.guests.ssh import connect

        return await connect(
            self._endpoint,
            identities=self._identities,
            sock=sock,
            timeout=_LOGIN_SECONDS,
            noticed=self._phases.reach,
            password=self._password,
        )

    async def _announce_port(self) -> None:
        await self._lookout.port_open.wait()
        self._phases.reach("port open")

    def silent(self, timeout: float) -> GuestSilentError:
        look = self._lookout.last
        if "banner" in self._phases.reached:
            reason = "its SSH server answers, but no login came to an end"
        elif look is None:
            reason = Outcome.HUNG.value
        else:
            reason = look.outcome.value
            if look.outcome is Outcome.GARBAGE:
                reason += f" ({look.said[:60]!r})"
        return GuestSilentError(
            f"The guest did not answer at {self._endpoint.host}:{self._endpoint.port} within {timeout:g} s.",
            why=f"Last seen: {reason}. Reached: {self._phases.text()}.",
            remedy=(
                "look at its serial console (the Serial tab of the workbench) for what holds it up; "
                "for a slow guest set a longer 'boot_timeout'"
            ),
        )


def _load() -> None:
    import core.guests.ssh  # noqa: F401


class _Attached:
    """A guest that its provider lets us into, e.g. a container: it answers once a command runs in it."""

    def __init__(self, endpoint: Endpoint, phases: _Phases) -> None:
        self._endpoint = endpoint
        self._phases = phases
        self._last = ""

    async def answer(self) -> RemoteGuest:
        from core.guests.connecting import connect

        while True:
            try:
                guest = await connect(self._endpoint)
                self._phases.reach("attached")
                ran = await guest.run(":")
            except ConnectionLostError as error:
                self._last = error.problem.why or error.problem.what
            else:
                if not ran.status:
                    self._phases.reach("answers")
                    return guest
                self._last = f"a command in it ended with status {ran.status}"
                await guest.close()
            await asyncio.sleep(0.1)

    def silent(self, timeout: float) -> GuestSilentError:
        return GuestSilentError(
            f"No command could be run in the guest within {timeout:g} s.",
            why=f"Last seen: {self._last or 'no answer'}. Reached: {self._phases.text()}.",
            remedy="boxwright serial --log shows what it said; a slow guest needs a longer 'boot_timeout'",
        )

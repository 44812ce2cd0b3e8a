"""One way to every guest: its endpoint names the communicator, and that one connects.

Communicators other than SSH are found in the entry-point group ``boxwright.communicators``: each is an
async function that takes an :class:`Endpoint` and returns a :class:`RemoteGuest`.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import entry_points
from typing import cast

from core.errors import ProviderError
from core.guests.remote import RemoteGuest
from core.model.machine import SSH, Endpoint

GROUP = "boxwright.communicators"

Communicator = Callable[[Endpoint], Awaitable[RemoteGuest]]
"""Raises ConnectionLostError for what trying again may mend."""


async def connect(endpoint: Endpoint, *, identities: Sequence[str] = ()) -> RemoteGuest:
    """Reach the guest. ``identities`` are private keys to try, in order, where it is reached over SSH.

    Raises GuestError, and ProviderError for a communicator that is not installed.
    """
    if endpoint.communicator == SSH:
        from core.guests import ssh

        return await ssh.connect(endpoint, identities=identities)
    return await communicator(endpoint.communicator)(endpoint)


@functools.cache
def communicator(name: str) -> Communicator:
    """Raises ProviderError where none of that name is installed."""
    for entry in entry_points(group=GROUP, name=name):
        return cast(Communicator, entry.load())
    raise ProviderError(
        f"Guests cannot be reached by {name!r}.",
        why="No communicator of that name is installed.",
        remedy="boxwright doctor",
    )

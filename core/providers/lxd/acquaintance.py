"""Meeting a server elsewhere for the first time: with its token, it comes to trust this user."""

from __future__ import annotations

import asyncio

from core.providers.lxd import troubles, trust
from core.providers.lxd.connection import Connection
from core.providers.lxd.place import Place
from core.providers.lxd.troubles import LxdError


async def meet(place: Place, token_file: str) -> None:
    """Nothing to do for the local server, or one that is known. Raises ProviderError."""
    if not place.remote or not token_file or await asyncio.to_thread(trust.known, place):
        return
    token = await asyncio.to_thread(trust.read_token, token_file)
    try:
        papers = await asyncio.to_thread(trust.introduce, place, token)
        await _ask_for_trust(place, papers, token)
    except OSError as error:
        raise troubles.unreachable(place, error) from error
    await asyncio.to_thread(trust.keep, place, papers)


async def _ask_for_trust(place: Place, papers: trust.Papers, token: trust.Token) -> None:
    context = await asyncio.to_thread(trust.make_context, papers)
    body = {
        "type": "client",
        "name": token.client_name or "boxwright",
        "certificate": await asyncio.to_thread(trust.certificate_of, papers),
        # LXD's word for it up to 5.0, and the word since, which is also that of Incus.
        "password": token.text,
        "trust_token": token.text,
    }
    try:
        await Connection(Place(place.server), context).ask("POST", "/1.0/certificates", body=body)
    except LxdError as error:
        if not error.status:
            raise
        if "already" in error.problem.why:
            return
        raise LxdError(
            f"{place.server} does not accept the trust token.",
            code=error.status,
            why=error.problem.why,
            remedy="lxc config trust add (on the server) prints another one: each can be used once",
        ) from error

"""Images to a registry."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

from core.model.work import Work
from core.providers.docker import sdk
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import DockerError, NoDaemon, refused
from core.providers.http import Request

_NOBODY = {"X-Registry-Auth": base64.urlsafe_b64encode(b"{}").decode()}
"""The daemon wants such a header even where nobody has to log in."""


async def push(daemon: Daemon, name: str, work: Work, login: Mapping[str, str] | None = None) -> str:
    """``name``: with a tag. ``login``: the header that shows who asks; without one as ``docker login`` has
    left it. Returns the digest that the registry knows it by.

    Raises DockerError; what has arrived stays at the registry, which goes on from it."""
    async with work.step("Push", detail=name) as step:
        repository, _, tag = name.rpartition(":")
        request = await daemon.request(
            "POST", f"/images/{repository}/push", query={"tag": tag}, headers=await _who(repository, login)
        )
        try:
            return await _follow(daemon, request, step)
        except NoDaemon:
            raise
        except DockerError as error:
            raise DockerError(
                f"The image {name} could not be pushed.",
                status=error.status,
                why=error.problem.why,
                remedy=error.problem.remedy or "look at its name, and whether its registry can be reached",
            ) from error


async def _who(repository: str, login: Mapping[str, str] | None) -> Mapping[str, str]:
    return login or await asyncio.to_thread(sdk.credentials, repository) or _NOBODY


async def _follow(daemon: Daemon, request: Request, step: Work) -> str:
    parts: dict[str, tuple[int, int]] = {}
    digest = ""
    async for message in daemon.messages(request):
        if "error" in message:
            raise refused(0, str(message["error"]))
        detail = message.get("progressDetail") or {}
        if message.get("id") and detail.get("current"):
            total = int(detail.get("total", detail["current"]))
            parts[message["id"]] = (int(detail["current"]), total)
            done, all = (sum(amounts) for amounts in zip(*parts.values(), strict=True))
            step.progress(done, all, "bytes")
        elif "Digest" in (message.get("aux") or {}):
            digest = str(message["aux"]["Digest"])
            step.note(digest)
    return digest


async def digest_there(daemon: Daemon, name: str, login: Mapping[str, str] | None = None) -> str:
    """The digest by which the image's registry knows it, "" where that cannot be said."""
    repository, _, _ = name.rpartition(":")
    try:
        found = await daemon.ask("GET", f"/distribution/{name}/json", headers=await _who(repository, login))
    except NoDaemon:
        raise
    except DockerError:
        return ""
    return str(found["Descriptor"]["digest"])

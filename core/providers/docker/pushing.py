"""Images to a registry."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

from core.model.work import Work
from core.providers.docker import sdk
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import DockerError, NoDaemon, refused

_NOBODY = {"X-Registry-Auth": base64.urlsafe_b64encode(b"{}").decode()}
"""The daemon wants such a header even where nobody has to log in."""


async def push(daemon: Daemon, name: str, work: Work, login: Mapping[str, str] | None = None) -> None:
    """``name``: with a tag. ``login``: the header that shows who asks; without one as ``docker login`` has
    left it. Raises DockerError; what has arrived stays at the registry, which goes on from it."""
    async with work.step("Push", detail=name) as step:
        repository, _, tag = name.rpartition(":")
        known = login or await asyncio.to_thread(sdk.credentials, repository)
        request = await daemon.request(
            "POST", f"/images/{repository}/push", query={"tag": tag}, headers=known or _NOBODY
        )
        parts: dict[str, tuple[int, int]] = {}
        try:
            async for message in daemon.messages(request):
                if "error" in message:
                    raise refused(0, str(message["error"]))
                detail = message.get("progressDetail") or {}
                if message.get("id") and detail.get("current"):
                    total = int(detail.get("total", detail["current"]))
                    parts[message["id"]] = (int(detail["current"]), total)
                    step.progress(
                        sum(done for done, _ in parts.values()),
                        sum(all for _, all in parts.values()),
                        "bytes",
                    )
                elif "digest" in str(message.get("status", "")):
                    step.note(str(message["status"]))
        except NoDaemon:
            raise
        except DockerError as error:
            raise DockerError(
                f"The image {name} could not be pushed.",
                status=error.status,
                why=error.problem.why,
                remedy=error.problem.remedy or "look at its name, and whether its registry can be reached",
            ) from error

"""Images from a registry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from core.model.work import Work
from core.providers.docker import sdk
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import DockerError, NoDaemon, refused
from core.providers.http import Request


async def pull(
    daemon: Daemon, image: str, platform: str, work: Work, login: Mapping[str, str] | None = None
) -> None:
    """``login``: the header that shows who asks; without one as ``docker login`` has left it.

    Raises DockerError; what had arrived before stays with the daemon, which goes on from it."""
    async with work.step("Pull", detail=image) as step:
        headers = login or await asyncio.to_thread(sdk.credentials, image)
        request = await daemon.request(
            "POST",
            "/images/create",
            query={"fromImage": complete(image), "platform": platform or None},
            headers=headers,
        )
        try:
            await _follow(daemon, request, step)
        except NoDaemon:
            raise
        except DockerError as error:
            problem = error.problem
            raise DockerError(
                f"The image {image} could not be pulled.",
                status=error.status,
                why=problem.why,
                remedy=problem.remedy or "look at its name, and whether its registry can be reached",
            ) from error


async def _follow(daemon: Daemon, request: Request, step: Work) -> None:
    layers = Layers()
    async for message in daemon.messages(request):
        if "error" in message:
            raise refused(0, str(message["error"]))
        if layers.take(message):
            step.progress(layers.done, layers.total, "bytes")
        elif not message.get("id"):
            step.note(str(message.get("status", "")))


def complete(image: str) -> str:
    """With a tag: without one Docker takes all that there are."""
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"


class Layers:
    """Bytes of all layers that are on their way."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def take(self, message: dict[str, Any]) -> bool:
        """Whether the message was about a layer's arrival."""
        layer, detail = message.get("id"), message.get("progressDetail") or {}
        if not layer or message.get("status") not in ("Downloading", "Download complete"):
            return False
        done, total = self._known.get(layer, (0, 0))
        if message["status"] == "Download complete":
            done = total
        else:
            done, total = int(detail.get("current", done)), int(detail.get("total", total))
        self._known[layer] = (done, total)
        return True

    @property
    def done(self) -> int:
        return sum(done for done, _ in self._known.values())

    @property
    def total(self) -> int:
        return sum(total for _, total in self._known.values())

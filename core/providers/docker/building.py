"""Images from a Dockerfile, built by the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from core.errors import NotFoundError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.docker import names, sdk
from core.providers.docker.daemon import Daemon
from core.providers.docker.options import Options
from core.providers.docker.troubles import DockerError
from core.providers.http import Request

_BLOCK = 256 * 1024
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_LAYER = re.compile(r" ---> ([0-9a-f]{12})\s*")
_CACHED = " ---> Using cache"


async def build(daemon: Daemon, plan: MachinePlan, options: Options, work: Work) -> str:
    """The name of the image. What the build says is the step's output. Raises BoxwrightError.

    A build that is cancelled ends at the daemon, too; layers of a failed one are removed.
    """
    dockerfile, folder = places(plan.key.project, options)
    tag = f"{names.repository(plan.id)}:built"
    async with work.step("Build", detail=options.dockerfile) as step:
        step.note("packing what belongs to it")
        archive, name = await asyncio.to_thread(_packed, folder, dockerfile)
        with archive:
            request = await daemon.request(
                "POST",
                "/build",
                query={
                    "dockerfile": name,
                    "t": tag,
                    "buildargs": options.build_args,
                    "target": options.target or None,
                    "platform": options.platform or None,
                    "labels": {names.IMAGE: plan.id},
                    "pull": options.pull == "always",
                    "rm": True,
                    "forcerm": True,
                },
                headers={"Content-Type": "application/x-tar"},
                upload=_blocks(archive),
            )
            await _follow(daemon, request, step)
    return tag


def places(project: str, options: Options) -> tuple[Path, Path]:
    """The Dockerfile, and the folder whose files it may use. Raises NotFoundError."""
    dockerfile = (Path(project) / Path(options.dockerfile).expanduser()).resolve()
    if dockerfile.is_dir():
        dockerfile /= "Dockerfile"
    if not dockerfile.is_file():
        raise NotFoundError(f"There is no Dockerfile {dockerfile}.", remedy="correct 'dockerfile'")
    if not options.build_context:
        return dockerfile, dockerfile.parent
    folder = (Path(project) / Path(options.build_context).expanduser()).resolve()
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", remedy="correct 'build_context'")
    return dockerfile, folder


def _packed(folder: Path, dockerfile: Path) -> tuple[IO[bytes], str]:
    try:
        return sdk.build_context(folder, dockerfile)
    except OSError as error:
        raise DockerError(f"{folder} cannot be packed for the build.", why=str(error)) from error


async def _blocks(archive: IO[bytes]) -> AsyncIterator[bytes]:
    while data := await asyncio.to_thread(archive.read, _BLOCK):
        yield data


async def _follow(daemon: Daemon, request: Request, step: Work) -> None:
    progress = Progress()
    try:
        async for message in daemon.messages(request):
            if "error" in message:
                raise DockerError(
                    "The image could not be built.",
                    why=str(message["error"]),
                    remedy="mend the Dockerfile; boxwright logs shows what the build said",
                    tail=tuple(progress.tail),
                )
            text = str(message.get("stream") or message.get("status") or "")
            if text:
                step.write(text.encode() if text.endswith("\n") else f"{text}\n".encode())
                progress.take(text, step)
    except BaseException:
        for layer in reversed(progress.layers):
            with contextlib.suppress(DockerError):
                await daemon.ask("DELETE", f"/images/{layer}")
        raise


class Progress:
    """How far a build is, from what it says."""

    def __init__(self) -> None:
        self.layers: list[str] = []
        """Layers that this build has made, oldest first."""
        self.tail: list[str] = []
        self._cached = True

    def take(self, text: str, step: Work) -> None:
        self.tail = [*self.tail, *text.splitlines()][-5:]
        if found := _STEP.match(text):
            step.progress(int(found[1]) - 1, int(found[2]), "steps")
            step.note(found[3].strip()[:120])
            # The first layer that a step names is its base's, where it is FROM.
            self._cached = found[3].upper().startswith("FROM")
        elif text.startswith(_CACHED):
            self._cached = True
        elif (found := _LAYER.fullmatch(text)) and not self._cached:
            self.layers.append(found[1])

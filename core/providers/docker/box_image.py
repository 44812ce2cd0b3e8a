"""A box for Docker: a root file system, taken over as an image once for all machines that are made of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.docker import names, removal
from core.providers.docker.context import Context
from core.providers.docker.daemon import Daemon
from core.providers.docker.options import Options
from core.providers.docker.troubles import DockerError, refused

FILES = ("rootfs.tar.zst", "rootfs.tar.gz", "rootfs.tar.xz", "rootfs.tar")
"""How the root file system is called in a box, the first that is there."""

REPOSITORY = "boxwright/box"

UNDO = "docker.box"
"""Kind of intent: an image of a box that nothing may need."""

_BLOCK = 1 << 20
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""How such a file begins."""


def root_file_system(plan: MachinePlan) -> Path:
    """Raises ProviderError where the box has none, or has lost it."""
    for name in FILES:
        if name in plan.box_files:
            path = Path(plan.box_files[name])
            if not path.is_file():
                raise ProviderError(
                    f"The box of {plan.key.name} is missing its root file system.",
                    why=f"{path} is not there any more.",
                    remedy="boxwright box add, to have the box anew",
                )
            return path
    raise ProviderError(
        f"{plan.key.name} has a box that is none for Docker.",
        why=f"It holds none of: {', '.join(FILES)}.",
        remedy="name an image or a Dockerfile: box = { image = NAME }",
    )


def reference(path: Path, changes: Sequence[str] = ()) -> str:
    """The image of a box: the store is by content, and its files never change."""
    said = "\0".join((str(path.resolve()), *changes))
    return f"{REPOSITORY}:{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def changes(plan: MachinePlan) -> tuple[str, ...]:
    """What the box says of the program that is to run, its variables and so on: lines of a Dockerfile."""
    ours = plan.box_metadata.get("boxwright")
    found = ours.get("changes") if isinstance(ours, dict) else None
    return tuple(str(line) for line in found) if isinstance(found, list) else ()


def needed(plan: MachinePlan, options: Options) -> tuple[str, ...]:
    """The image of the box that a new machine is made from; none where it is made from something else."""
    if options.image or options.dockerfile:
        return ()
    return (reference(root_file_system(plan), changes(plan)),)


async def obtain(daemon: Daemon, plan: MachinePlan, work: Work) -> str:
    """The name of the box's image, which is made where it is not there. Raises BoxwrightError."""
    path = root_file_system(plan)
    name = reference(path, changes(plan))
    try:
        await daemon.ask("GET", f"/images/{name}/json")
        return name
    except DockerError as error:
        if error.status != 404:
            raise
    async with work.step("Import the box", detail=path.name) as step:
        intent = step.intend(UNDO, address=str(daemon.address), image=name)
        await import_archive(daemon, path, name, (*changes(plan), f"LABEL {names.IMAGE}=box"), step)
        intent.settle()
    return name


async def import_archive(
    daemon: Daemon, path: Path, name: str, changes: Sequence[str], step: Work, *, platform: str = ""
) -> None:
    """Make the image ``name`` (with a tag) of an archive of a root file system. Raises DockerError."""
    repository, _, tag = name.rpartition(":")
    request = await daemon.request(
        "POST",
        "/images/create",
        query={
            "fromSrc": "-",
            "repo": repository,
            "tag": tag,
            "changes": "\n".join(changes) or None,
            "platform": platform or None,
        },
        headers={"Content-Type": "application/x-tar"},
        upload=_blocks(path, step),
    )
    async for message in daemon.messages(request):
        if "error" in message:
            raise refused(0, str(message["error"]))


async def _blocks(path: Path, step: Work) -> AsyncIterator[bytes]:
    """Zstandard is unpacked here, as older daemons do not know it. Files of the store have no endings."""
    with path.open("rb") as raw:
        total = os.fstat(raw.fileno()).st_size
        source: Any = raw
        packed = await asyncio.to_thread(raw.read, len(_ZSTANDARD)) == _ZSTANDARD
        raw.seek(0)
        if packed:
            import zstandard

            source = zstandard.ZstdDecompressor().stream_reader(raw)
        while data := await asyncio.to_thread(source.read, _BLOCK):
            yield data
            step.progress(min(raw.tell(), total), total, "bytes")


async def forget_unused(context: Context, daemon: Daemon, *, only: str = "") -> None:
    """Remove images of boxes that no container, and no image, is made of."""
    filters: dict[str, Any] = {"label": [f"{names.IMAGE}=box"], "reference": [only or f"{REPOSITORY}:*"]}
    for image in await daemon.ask("GET", "/images/json", query={"filters": filters}) or []:
        if any(context.in_use(tag) for tag in image.get("RepoTags") or []):
            continue
        # One that somebody needs is not removed without force.
        await removal.remove_image(daemon, image["Id"], force=False)

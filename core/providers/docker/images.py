"""What containers are made of: images that are there, pulled, built from a Dockerfile, or a box's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.docker import box_image, building, names, pulling
from core.providers.docker.context import Context
from core.providers.docker.daemon import Daemon
from core.providers.docker.options import Options
from core.providers.docker.removal import remove_image
from core.providers.docker.troubles import DockerError, is_gone


class Image(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    shown: str
    """As people call it."""
    architecture: str
    config: dict[str, Any]

    @property
    def runs(self) -> dict[str, Any]:
        """What it says about the program that is to run in a container made from it."""
        return {key: self.config[key] for key in ("Cmd", "Entrypoint", "StopSignal") if self.config.get(key)}


async def obtain(context: Context, daemon: Daemon, plan: MachinePlan, options: Options, work: Work) -> Image:
    """The image that a new machine is made from. Raises BoxwrightError."""
    if options.dockerfile:
        reference = await building.build(daemon, plan, options, work)
        image = await look(daemon, reference, options.dockerfile)
    elif options.image:
        image = await _named(daemon, options, work)
    else:
        async with context.locks.of(f"{daemon.address} boxes"):
            reference = await box_image.obtain(daemon, plan, work)
        image = await look(daemon, reference, str(plan.box_metadata.get("name") or "a box"))
    if not options.platform:
        await _fits(daemon, image)
    return image


async def _named(daemon: Daemon, options: Options, work: Work) -> Image:
    if options.pull != "always":
        try:
            return await look(daemon, options.image)
        except DockerError as error:
            if not is_gone(error):
                raise
        if options.pull == "never":
            raise ProviderError(
                f"The image {options.image} is missing.",
                why="It is not at the daemon, and 'pull' says never.",
                remedy=f"docker pull {options.image}, or remove 'pull'",
            )
    await pulling.pull(daemon, options.image, options.platform, work)
    return await look(daemon, options.image)


async def look(daemon: Daemon, reference: str, shown: str = "") -> Image:
    """Raises DockerError, with status 404 where there is none."""
    found = await daemon.ask("GET", f"/images/{reference}/json")
    return Image(
        id=found["Id"],
        shown=shown or reference,
        architecture=found.get("Architecture", ""),
        config=found.get("Config") or {},
    )


async def exists(daemon: Daemon, reference: str) -> bool:
    """Raises DockerError where the daemon cannot say."""
    return bool(await identity(daemon, reference))


async def identity(daemon: Daemon, reference: str) -> str:
    """The id of an image, "" where there is none. Raises DockerError where the daemon cannot say."""
    try:
        return (await look(daemon, reference)).id
    except DockerError as error:
        if not is_gone(error):
            raise
        return ""


async def _fits(daemon: Daemon, image: Image) -> None:
    ours = str((await daemon.about()).get("Arch", ""))
    if image.architecture and ours and image.architecture != ours:
        raise ProviderError(
            f"The image {image.shown} is for {image.architecture}, and this daemon's computer is {ours}.",
            why="Its programs do not run there.",
            remedy=f"choose an image for {ours}; or, where that computer can emulate it, "
            f"set platform = 'linux/{image.architecture}'",
        )


async def commit(
    daemon: Daemon, container: str, machine_id: str, tag: str, labels: Mapping[str, str] | None = None
) -> str:
    """Keep what is in a container as an image that goes with machine ``machine_id``; returns its id."""
    # A container that somebody makes of this image is none of ours, though it has the image's labels.
    own = {names.MACHINE: "", names.IMAGE: machine_id, names.SNAPSHOT: "", **(labels or {})}
    found = await daemon.ask(
        "POST",
        "/commit",
        query={"container": container, "repo": names.repository(machine_id), "tag": tag, "pause": True},
        body={"Labels": own},
        timeout=None,
    )
    return str(found["Id"])


async def of_machine(daemon: Daemon, machine_id: str) -> Sequence[Mapping[str, Any]]:
    """All images that were made for or of a machine, newest first."""
    query = {"filters": {"label": [f"{names.IMAGE}={machine_id}"]}}
    found: list[dict[str, Any]] = await daemon.ask("GET", "/images/json", query=query) or []
    return sorted(found, key=lambda image: -int(image.get("Created", 0)))


async def forget(daemon: Daemon, machine_id: str, *, nameless_only: bool = False) -> None:
    """Remove the images of a machine that nothing needs; with ``nameless_only`` those that have lost their
    last name. One that is still needed stays."""
    left = -1
    while True:
        found = await of_machine(daemon, machine_id)
        if nameless_only:
            found = [image for image in found if not _tags(image)]
        if not found or len(found) == left:
            return
        left = len(found)
        for image in found:
            # Without a name it goes with the last one that is made of it, be it another machine's.
            for reference in _tags(image) or [image["Id"]]:
                await remove_image(daemon, reference)


def _tags(image: Mapping[str, Any]) -> list[str]:
    return [tag for tag in image.get("RepoTags") or [] if tag != "<none>:<none>"]

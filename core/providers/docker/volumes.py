"""Volumes: those that a project names are shared by its machines, the others are a container's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.model.machine import MachinePlan
from core.providers.docker import names
from core.providers.docker.context import Context
from core.providers.docker.daemon import Daemon
from core.providers.docker.options import Options, read_volume
from core.providers.docker.removal import remove_volume


def wanted(plan: MachinePlan, options: Options) -> tuple[str, ...]:
    """Names at the daemon of the volumes that the project names for this machine."""
    found = (read_volume(text) for text in options.volumes)
    return tuple(names.volume(plan.key.project, volume.source) for volume in found if volume.named)


async def ensure(daemon: Daemon, plan: MachinePlan, options: Options) -> None:
    """Make those that are not there; one that is there is left as it is."""
    labels = {names.IMAGE: names.project_digest(plan.key.project)}
    for name in wanted(plan, options):
        await daemon.ask("POST", "/volumes/create", body={"Name": name, "Labels": labels})


def own(container: Mapping[str, Any]) -> dict[str, str]:
    """Volumes that Docker has named itself for a container that was inspected, by place."""
    return {
        mount["Destination"]: mount["Name"]
        for mount in container.get("Mounts") or []
        if mount.get("Type") == "volume" and _nameless(mount.get("Name", ""))
    }


def _nameless(name: str) -> bool:
    return len(name) == 64 and all(letter in "0123456789abcdef" for letter in name)


async def remove(daemon: Daemon, volumes: Iterable[str]) -> None:
    for name in volumes:
        await remove_volume(daemon, name)


async def forget_unused(context: Context, daemon: Daemon, project: str) -> None:
    """Remove those of a project (by its digest) that no container needs."""
    filters = {"label": [f"{names.IMAGE}={project}"], "dangling": ["true"]}
    found = await daemon.ask("GET", "/volumes", query={"filters": filters}) or {}
    unused = [volume["Name"] for volume in found.get("Volumes") or []]
    await remove(daemon, [name for name in unused if not context.in_use(name)])

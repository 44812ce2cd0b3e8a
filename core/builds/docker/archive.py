"""Archives that the daemon gives: of a container's files, and of images."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.builds.docker import undo
from core.model.work import Work
from core.providers.docker import containers
from core.providers.docker.daemon import Daemon


async def export(daemon: Daemon, container: str, target: Path, work: Work) -> None:
    """The container's files as a tar archive, owners and permissions with them. Raises DockerError."""
    await _write(daemon, f"/containers/{container}/export", target, work)


async def save(daemon: Daemon, image: str, target: Path, work: Work) -> None:
    """An image as ``docker load`` takes it, with the name that it is asked for by. Raises DockerError."""
    await _write(daemon, f"/images/{image}/get", target, work)


async def _write(daemon: Daemon, path: str, target: Path, work: Work) -> None:
    request = await daemon.request("GET", path)
    done = 0
    with target.open("wb") as file:
        async for block in daemon.stream(request):
            await asyncio.to_thread(file.write, block)
            done += len(block)
            work.progress(done, None, "bytes")


async def export_image(daemon: Daemon, image: str, target: Path, work: Work) -> None:
    """The files of an image, by way of a container that never runs."""
    name = f"boxwright-build-{secrets.token_hex(6)}"
    intent = work.intend(undo.CONTAINER, address=str(daemon.address), name=name, began=time.time())
    body = {"Image": image, "Cmd": ["true"]}
    await daemon.ask("POST", "/containers/create", query={"name": name}, body=body, timeout=containers.SLOW)
    try:
        await export(daemon, name, target, work)
    finally:
        await asyncio.shield(containers.remove(daemon, name, with_volumes=True))
        intent.settle()


def changes_of(config: Mapping[str, Any]) -> list[str]:
    """An image's settings as lines of a Dockerfile, which ``docker import`` takes."""
    lines = [f"ENV {name}={_quoted(value)}" for name, value in _pairs(config.get("Env"))]
    for word, key in (("WORKDIR", "WorkingDir"), ("USER", "User"), ("STOPSIGNAL", "StopSignal")):
        if config.get(key):
            lines.append(f"{word} {config[key]}")
    for word, key in (("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd")):
        if config.get(key):
            lines.append(f"{word} {json.dumps(config[key])}")
    lines += [f"EXPOSE {port}" for port in sorted(config.get("ExposedPorts") or {})]
    lines += [f"VOLUME {json.dumps([place])}" for place in sorted(config.get("Volumes") or {})]
    return lines


def _pairs(variables: Any) -> list[tuple[str, str]]:
    found = []
    for text in variables or []:
        name, _, value = str(text).partition("=")
        found.append((name, value))
    return found


def _quoted(value: str) -> str:
    for letter in ("\\", '"', "$"):
        value = value.replace(letter, f"\\{letter}")
    return f'"{value}"'

"""Containers at the daemon: how they are found, made and removed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ProviderError
from core.providers.docker import names
from core.providers.docker.daemon import Daemon
from core.providers.docker.definition import Definition
from core.providers.docker.troubles import DockerError, is_gone

SLOW = 120.0
"""Seconds for calls that may take a while on a busy computer."""

ENDING = 5.0
"""Seconds for what is left of a container's last run to go."""


class Row(msgspec.Struct, frozen=True):
    """A container as a listing shows it."""

    id: str
    machine: str
    """Id of the machine, by the container's label."""
    name: str
    state: str
    """``created``, ``running``, ``paused``, ``restarting``, ``removing``, ``exited`` or ``dead``."""
    exit_status: int = 0
    health: str = ""

    @property
    def live(self) -> bool:
        return self.state in ("running", "paused", "restarting")


async def rows(daemon: Daemon, machine_id: str = "") -> list[Row]:
    """All containers of machines, or of one, in one call. During a replacement a machine has two."""
    label = f"{names.MACHINE}={machine_id}" if machine_id else names.MACHINE
    found = await daemon.ask("GET", "/containers/json", query={"all": True, "filters": {"label": [label]}})
    return [_row(entry) for entry in found or []]


def _row(entry: Mapping[str, Any]) -> Row:
    status = str(entry.get("Status", ""))
    ended = re.search(r"Exited \((-?\d+)\)", status)
    health = re.search(r"\((healthy|unhealthy|health: starting)\)", status)
    return Row(
        id=entry["Id"],
        machine=entry["Labels"].get(names.MACHINE, ""),
        name=(entry.get("Names") or ["/"])[0].lstrip("/"),
        state=entry.get("State", ""),
        exit_status=int(ended[1]) if ended else 0,
        health=health[1].removeprefix("health: ") if health else "",
    )


async def row(daemon: Daemon, machine_id: str, container: str) -> Row | None:
    """One container as it is at this moment, to which a listing may still have to come; None for one that
    is not there, or is not that machine's."""
    try:
        about = await inspect(daemon, container)
    except DockerError as error:
        if is_gone(error):
            return None
        raise
    if ((about.get("Config") or {}).get("Labels") or {}).get(names.MACHINE) != machine_id:
        return None
    state = about.get("State") or {}
    return Row(
        id=about["Id"],
        machine=machine_id,
        name=str(about.get("Name", "")).lstrip("/"),
        state=state.get("Status", ""),
        exit_status=int(state.get("ExitCode") or 0),
        health=(state.get("Health") or {}).get("Status", "").replace("none", ""),
    )


async def inspect(daemon: Daemon, container: str) -> dict[str, Any]:
    found: dict[str, Any] = await daemon.ask("GET", f"/containers/{container}/json")
    return found


async def create(
    daemon: Daemon, definition: Definition, *, image: str, name: str, machine_id: str, platform: str = ""
) -> tuple[str, str]:
    """Returns the new container's id and name: where the one that was wished for is somebody else's, it
    gets another. Raises DockerError."""
    body = {**definition.body, "Image": image}
    for wished in (name, f"{name}-{machine_id[:6]}"):
        query = {"name": wished, "platform": platform or None}
        try:
            made = await daemon.ask("POST", "/containers/create", query=query, body=body, timeout=SLOW)
        except DockerError as error:
            if error.status == 409 and "is already in use" in error.problem.why:
                continue
            raise
        for network, settings in definition.connections.items():
            connection = {"Container": made["Id"], "EndpointConfig": settings}
            await daemon.ask("POST", f"/networks/{network}/connect", body=connection)
        return str(made["Id"]), wished
    raise ProviderError(
        f"The names {name} and {name}-{machine_id[:6]} are taken at Docker by containers of somebody else.",
        remedy=f"docker rename {name} OTHER-NAME, or docker rm {name} where nobody needs it",
    )


async def remove(daemon: Daemon, container: str, *, with_volumes: bool) -> None:
    """In whatever state it is; one that is not there is no error. Returns when its name is free: one that is
    being removed, as somebody asked for that who is gone by now, is waited for."""
    try:
        await daemon.ask(
            "DELETE", f"/containers/{container}", query={"force": True, "v": with_volumes}, timeout=SLOW
        )
    except DockerError as error:
        if error.status == 409 and "is already in progress" in error.problem.why:
            await _removed(daemon, container)
        elif not is_gone(error):
            raise


async def _removed(daemon: Daemon, container: str) -> None:
    try:
        query = {"condition": "removed"}
        path = f"/containers/{container}/wait"
        await daemon.ask("POST", path, query=query, timeout=SLOW, waits=True)
    except DockerError as error:
        if not is_gone(error):
            raise


async def start(daemon: Daemon, container: str) -> None:
    """A daemon that has died with the container running, and come back, may need a moment to see that it has
    ended: until then it cannot be started. Raises DockerError, see :func:`haunted`."""
    until = time.monotonic() + ENDING
    while True:
        try:
            await daemon.ask("POST", f"/containers/{container}/start", timeout=SLOW)
            return
        except DockerError as error:
            if not haunted(error) or time.monotonic() > until:
                raise
        await asyncio.sleep(0.2)


def haunted(error: DockerError) -> bool:
    """Whether a container cannot be started because containerd still has its last run. Where dockerd died
    while it cleared that away, containerd keeps it until it is itself started again; only this container
    is in its way, not another one with the same content."""
    return "task " in error.problem.why and "already exists" in error.problem.why


async def kill(daemon: Daemon, container: str, signal: str = "SIGKILL") -> None:
    """Send a signal; a container that does not run, or is not there, is no error."""
    try:
        await daemon.ask("POST", f"/containers/{container}/kill", query={"signal": signal})
    except DockerError as error:
        if not is_gone(error) and not (error.status == 409 and "is not running" in error.problem.why):
            raise


async def goes_on(daemon: Daemon, container: str) -> None:
    """Returns once a container goes on that Docker has paused, as it does while an image is made of it:
    who asked for that may be gone by now."""
    pause = 0.02
    while pause < 5:
        try:
            about = await inspect(daemon, container)
        except DockerError as error:
            if is_gone(error):
                return
            raise
        if not (about.get("State") or {}).get("Paused"):
            return
        await asyncio.sleep(pause)
        pause *= 1.3


async def ended(daemon: Daemon, container: str) -> None:
    """Returns once it does not run; one that is not there does not."""
    try:
        await daemon.ask("POST", f"/containers/{container}/wait", timeout=None, waits=True)
    except DockerError as error:
        if not is_gone(error):
            raise
